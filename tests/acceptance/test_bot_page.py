"""docs/bot.md says what the bot says."""

from pathlib import Path

from tests.bot_page.story import told
from tests.fixtures.sandbox import RunningSandbox

DOCS = Path(__file__).parents[2] / "docs"


async def test_the_page_is_what_the_bot_says(
    sandbox: RunningSandbox, prepared_dsn: str, tmp_path: Path
) -> None:
    """After a change of words, or of how charts look: `make bot-page`."""
    page = await told(sandbox, prepared_dsn, tmp_path / "data")
    assert (DOCS / "bot.md").read_text(encoding="utf-8") == page.text
    assert set(page.pictures) == {one.name for one in (DOCS / "bot").iterdir()}
    for name, picture in page.pictures.items():
        assert picture.startswith(b"\x89PNG")
        assert (DOCS / "bot" / name).read_bytes() == picture
