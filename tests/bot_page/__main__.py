"""`make bot-page`: writes docs/bot.md and docs/bot/*.png anew."""

import asyncio
import tempfile
from pathlib import Path

from tests.bot_page.story import told
from tests.bot_page.teller import Page
from tests.fixtures.sandbox import DAY, SEED, RunningSandbox

from medai.sandbox.audio.store import AudioStore
from medai.sandbox.audio.tones import ToneMaker
from medai.sandbox.client import Control
from medai.sandbox.server import SandboxServer
from medai.sandbox.world.generate import generate

DOCS = Path(__file__).parents[2] / "docs"


def main() -> None:
    """Tell the story over an embedded PostgreSQL and put the page down."""
    with tempfile.TemporaryDirectory(prefix="mbp") as folder:
        page = _page(Path(folder))
    (DOCS / "bot").mkdir(exist_ok=True)
    (DOCS / "bot.md").write_text(page.text, encoding="utf-8")
    for name, picture in page.pictures.items():
        (DOCS / "bot" / name).write_bytes(picture)


def _page(folder: Path) -> Page:
    world = generate(seed=SEED, day=DAY)
    audio = AudioStore(world, folder / "audio", ToneMaker())
    with SandboxServer(world, audio) as server, Control(server.url) as control:
        sandbox = RunningSandbox(server.url, world, audio, server, control)
        return asyncio.run(told(sandbox, "", folder / "data"))


if __name__ == "__main__":
    main()
