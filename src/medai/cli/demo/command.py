"""The `medai demo` command."""

from pathlib import Path
from typing import Annotated

import typer

from medai.cli.running import guarded, yesterday
from medai.cli.sandbox import DEFAULT_SEED
from medai.kit.days import parse_day

_FAILED = 1


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    out: Annotated[Path, typer.Option(help="папка результатов")] = Path("var/demo"),
    seed: Annotated[int, typer.Option(help="зерно вымышленного мира")] = DEFAULT_SEED,
    day: Annotated[str, typer.Option(help="рабочий день; без него — вчера")] = "",
    voices: Annotated[bool, typer.Option(help="говорящие записи вместо тонов")] = True,
    mongodb_uri: Annotated[str, typer.Option(help="документы в этой MongoDB (чистой!)")] = "",
    serve: Annotated[bool, typer.Option(help="оставить API работать", envvar="SERVE")] = False,
) -> None:
    """Провести рабочий день двух вымышленных клиник через всю систему и сверить с правдой."""

    def work() -> list[str]:
        # Imported here: other commands must not wait for the simulators to load.
        from medai.cli.demo.flow import Options, run

        on = parse_day(day) if day else yesterday()
        return run(Options(out.resolve(), seed, on, voices, mongodb_uri, serve))

    if guarded(work, rest=""):
        raise typer.Exit(_FAILED)
