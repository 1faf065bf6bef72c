"""Pictures keep pace with what they show, as far as they can be drawn again in a moment."""

from tests.pictures.drawing import PICTURES, dialogue, terminal


def test_the_dialogue_is_the_bots_page() -> None:
    """After a change of words: `make bot-page`, `make pictures`."""
    assert (PICTURES / "bot.png").read_bytes() == dialogue()


def test_a_terminal_is_drawn_without_paths_of_this_machine() -> None:
    told = terminal("отчёты:\n  /home/somebody/demo/reports/a.pdf")
    assert told == terminal("отчёты:\n  var/demo/reports/a.pdf")
    assert told.startswith(b"\x89PNG")
