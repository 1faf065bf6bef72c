"""What a report costs: PDF and Excel of ever more calls, beside ReportLab and openpyxl.

Each rendering has a process of its own. The peers print only the recommendations, the longest part
of a report: ReportLab the table, openpyxl the sheet, the same rows with the same links; ours is the
whole report. ReportLab is no dependency: it is installed into a temporary environment, unless
`--peer` names an interpreter that has it. Ends with 1 when a goal is missed.
"""

import argparse
import json
import os
import pickle
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import fontpkg

from fleet.tables import table
from medai.reports.models import ReportContent
from medai.reports.packing import packed
from medai.reports.pages.advice import advice_part
from printing.content import report_of

PDF_CALLS, EXCEL_CALLS = (100, 1_000, 5_000), (100, 1_000, 5_000, 50_000)
QUICK_PDF_CALLS, QUICK_EXCEL_CALLS = (100, 1_000), (100, 1_000)
ROUNDS, QUICK_ROUNDS = 3, 1
JUDGED_PDF, MOST_PDF_SECONDS, MOST_PDF_MEGABYTES = 1_000, 1.5, 300
JUDGED_EXCEL, MOST_EXCEL_MEGABYTES = 50_000, 100
PEER = "reportlab==5.1.0"
_HERE = Path(__file__).parent
_HEAD = (
    "№", "Администратор", "Транскрибация", "Запись", "Рекомендации", "Дата и время", "Тип",
    "Длительность", "Оценка",
)  # fmt: skip
_SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians of our renderings and of the peer's; ratios are ours by the peer's."""

    what: str
    calls: int
    seconds: float
    megabytes: float
    file_kilobytes: int
    peer: str
    peer_seconds: float
    peer_megabytes: float
    time_ratio: float
    memory_ratio: float


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", type=Path, help="write the figures to this file too")
    options.add_argument("--quick", action="store_true", help="up to 1,000 calls, once")
    options.add_argument("--peer", type=Path, help="an interpreter that has ReportLab")
    given = options.parse_args()
    rounds = QUICK_ROUNDS if given.quick else ROUNDS
    with tempfile.TemporaryDirectory(prefix="mdr", dir="/tmp") as name:
        folder = Path(name)
        peer = given.peer or _peer(folder / "peer")
        costs = [
            _pdf(calls, rounds, folder, peer)
            for calls in (QUICK_PDF_CALLS if given.quick else PDF_CALLS)
        ]
        costs += [
            _excel(calls, rounds, folder)
            for calls in (QUICK_EXCEL_CALLS if given.quick else EXCEL_CALLS)
        ]
    print(table(costs))
    if given.json is not None:
        given.json.write_text(json.dumps([asdict(cost) for cost in costs], indent=2) + "\n")
    missed = _missed(costs)
    for text in missed:
        print(f"GOAL MISSED: {text}", file=sys.stderr)
    return 1 if missed else 0


def _missed(costs: Sequence[Cost]) -> list[str]:
    missed = []
    for cost in costs:
        told = f"{cost.what} of {cost.calls} calls: {cost.seconds} s, {cost.megabytes} MB"
        if (cost.what, cost.calls) == ("PDF", JUDGED_PDF) and (
            cost.seconds > MOST_PDF_SECONDS or cost.megabytes > MOST_PDF_MEGABYTES
        ):
            missed.append(told)
        if (cost.what, cost.calls) == ("Excel", JUDGED_EXCEL) and (
            cost.megabytes > MOST_EXCEL_MEGABYTES
        ):
            missed.append(told)
    return missed


def _peer(folder: Path) -> Path:
    """An environment of its own with ReportLab, from the package index."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PEER]
    subprocess.run(install, check=True)  # noqa: S603
    return python


def _pdf(calls: int, rounds: int, folder: Path, peer: Path) -> Cost:
    content = report_of(calls)
    report, tables = folder / "report.pickle", folder / "tables.json"
    report.write_bytes(pickle.dumps(content))
    tables.write_text(json.dumps(advice_part(content)["people"], ensure_ascii=False))
    theirs = [str(peer), "reportlab_table.py", str(tables), fontpkg.path("Inter")]
    return _compared("PDF", calls, rounds, _ours("pdf", report), "ReportLab", theirs)


def _excel(calls: int, rounds: int, folder: Path) -> Cost:
    content = report_of(calls)
    report, rows = folder / "report.pickle", folder / "rows.json"
    report.write_bytes(pickle.dumps(packed(content)))
    rows.write_text(json.dumps(_rows(content), ensure_ascii=False))
    theirs = [sys.executable, "openpyxl_sheet.py", str(rows)]
    return _compared("Excel", calls, rounds, _ours("excel", report), "openpyxl", theirs)


def _ours(kind: str, report: Path) -> list[str]:
    return [sys.executable, "ours.py", kind, str(report)]


def _rows(content: ReportContent) -> list[list[Any]]:
    pairs = [(person, call) for person in content.advice for call in person.calls]
    return [list(_HEAD)] + [
        [
            number, person.name, call.transcript_url, call.recording_url,
            "\n".join(f"• {text}" for text in call.texts), f"{call.at:%d.%m.%Y %H:%M}",
            call.call_type, call.seconds / _SECONDS_PER_DAY, call.overall,
        ]
        for number, (person, call) in enumerate(pairs, start=1)
    ]  # fmt: skip


def _compared(
    what: str, calls: int, rounds: int, ours: list[str], peer: str, theirs: list[str]
) -> Cost:
    """Both in turn, so that the machine is equally busy for both."""
    costs = [(_run(ours), _run(theirs)) for _ in range(rounds)]
    mine = {name: median(our[name] for our, _ in costs) for name in costs[0][0]}
    other = {name: median(their[name] for _, their in costs) for name in costs[0][1]}
    return Cost(
        what=what,
        calls=calls,
        seconds=round(mine["seconds"], 2),
        megabytes=round(mine["megabytes"]),
        file_kilobytes=round(mine["kilobytes"]),
        peer=peer,
        peer_seconds=round(other["seconds"], 2),
        peer_megabytes=round(other["megabytes"]),
        time_ratio=round(mine["seconds"] / other["seconds"], 2),
        memory_ratio=round(mine["megabytes"] / other["megabytes"], 2),
    )


def _run(command: list[str]) -> dict[str, float]:
    python, script, *rest = command
    paths = os.pathsep.join((str(_HERE), str(_HERE.parent / "src")))
    done = subprocess.run(  # noqa: S603
        [python, str(_HERE / "printing" / script), *rest],
        env={**os.environ, "PYTHONPATH": paths},
        check=True,
        capture_output=True,
        text=True,
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


if __name__ == "__main__":
    sys.exit(main())
