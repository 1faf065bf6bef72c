"""`medai sandbox`: the simulators for trying things by hand."""

from typing import Annotated

import typer

from medai.cli.running import guarded

DEFAULT_SEED = 7


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sandbox")(sandbox)


def sandbox(
    port: Annotated[int, typer.Option(help="порт на 127.0.0.1")] = 8900,
    seed: Annotated[int, typer.Option(help="зерно вымышленного мира")] = DEFAULT_SEED,
    day: Annotated[str, typer.Option(help="рабочий день мира; без него — вчера")] = "",
    voices: Annotated[bool, typer.Option(help="говорящие записи вместо тонов")] = True,
) -> None:
    """Запустить имитаторы amoCRM, ElevenLabs, OpenAI, Telegram и хоста записей."""

    def work() -> None:
        # Imported here: other commands must not wait for the simulators to load.
        from medai.cli.sandbox_world import serve_world

        serve_world(port, seed, day, voices)

    guarded(work, rest="")
