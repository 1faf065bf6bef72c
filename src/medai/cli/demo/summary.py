"""The demo's answer: a table for a person, summary.json for a program."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from rich.table import Table

from medai.cli.demo.comparison import Comparison
from medai.cli.demo.scenario import Outcome


def table(comparison: Comparison) -> Table:
    """Every compared number with a mark."""
    shown = Table("показатель", "получено", "правда", "", box=None, pad_edge=False)
    shown.columns[1].justify = shown.columns[2].justify = "right"
    for line in comparison.lines:
        mark = "[red]✗[/]" if line.differs else "[green]✓[/]"
        truth = f"≤ {line.expected}" if line.is_limit else _text(line.expected)
        shown.add_row(line.name, _text(line.actual), truth, mark)
    return shown


def summary(
    outcome: Outcome,
    comparison: Comparison,
    bill: dict[str, Any],
    rows: dict[str, dict[str, float]],
    reports: list[Path],
    seconds: float,
) -> dict[str, Any]:
    """The content of summary.json."""
    results = outcome.syncs.values()
    skipped: Counter[str] = Counter()
    for result in results:
        skipped.update({reason.value: count for reason, count in result.skipped.items()})
    return {
        "calls_found": sum(result.found for result in results),
        "calls_stored": sum(result.kept for result in results),
        "calls_skipped": dict(skipped),
        "stt_paid": bill["stt_paid"],
        "notes_written": bill["notes"],
        "calls_analysed": outcome.progress.analysed,
        "rows_exported": {name: int(sums["rows"]) for name, sums in rows.items()},
        "crm_requests": bill["crm_requests"],
        "crm_max_requests_in_one_second": bill["crm_max_requests_in_one_second"],
        "truth_differences": comparison.differences,
        "reports": [str(path) for path in reports],
        "seconds": round(seconds, 1),
    }


def write(folder: Path, content: dict[str, Any]) -> Path:
    """Write summary.json; returns its path."""
    path = folder / "summary.json"
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return path


def _text(value: Any) -> str:
    return f"{value:g}".replace(".", ",") if isinstance(value, float) else str(value)
