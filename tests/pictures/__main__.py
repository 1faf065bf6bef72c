"""`make pictures`: docs/pictures/*.png anew, from one real demo and from docs/bot.md."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.fixtures.command_line import SOURCES, foreign_settings
from tests.fixtures.sandbox import DAY
from tests.pictures.drawing import PICTURES, dialogue, report_page, terminal

from medai.bootstrap import open_application
from medai.cli.demo.flow import demo_settings
from medai.kit.days import DayRange
from medai.reports.models import ReportContent

_COLUMNS = 84
_NOBODY = "http://127.0.0.1:9"
_KEYS = {"elevenlabs": "nobody is asked", "openai": "nobody is asked"}
_EVENING = datetime(DAY.year, DAY.month, DAY.day, 20, 30, tzinfo=UTC)


def main() -> None:
    """Run a demo in a folder of its own, take its words and its report, draw everything."""
    with tempfile.TemporaryDirectory(prefix="mpi") as folder:
        words = _demo(Path(folder))
        content = asyncio.run(_report(Path(folder)))
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / "terminal.png").write_bytes(terminal(words))
    (PICTURES / "report.png").write_bytes(report_page(content))
    (PICTURES / "bot.png").write_bytes(dialogue())


def _demo(folder: Path) -> str:
    """What a person sees in the terminal."""
    command = [sys.executable, "-m", "medai", "demo", "--no-voices", "--day", DAY.isoformat()]
    settings = {"PYTHONPATH": str(SOURCES), "COLUMNS": str(_COLUMNS), "LANG": "C.UTF-8"}
    ended = subprocess.run(  # noqa: S603 - our own words
        [*command, "--out", "demo"],
        cwd=folder, env={**foreign_settings(), **settings, "HOME": os.environ["HOME"]},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return ended.stdout


async def _report(folder: Path) -> ReportContent:
    """The figures of the demo's first clinic, read back from what the demo stored."""
    settings = demo_settings(folder / "demo" / "data", _NOBODY, _KEYS, "")
    summary = json.loads((folder / "demo" / "summary.json").read_text(encoding="utf-8"))
    clinic = Path(summary["reports"][0]).name.split("_")[3]
    async with open_application(settings) as application:
        content = await application.reports.content(clinic, DayRange(DAY, DAY))
    return replace(content, created_at=_EVENING)


if __name__ == "__main__":
    main()
