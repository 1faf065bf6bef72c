"""`medai demo`: honest about success and about failure."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pypdf
import pytest
import structlog
from tests.fixtures.command_line import command_line
from tests.fixtures.sandbox import DAY
from typer.testing import CliRunner

from medai.cli.app import app
from medai.cli.demo import flow
from medai.sandbox import control
from medai.sandbox.world.bulk import generate_bulk
from medai.sandbox.world.generate import generate
from medai.sandbox.world.models import World
from medai.sandbox.world.truth import truth

SEED = 20261


@pytest.fixture(autouse=True)
def demos_own_log() -> Iterator[None]:
    """A demo in this process logs to a file of its own, which is closed when it ends."""
    before, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = before
    logging.root.setLevel(level)
    structlog.reset_defaults()


async def test_another_world_ends_as_the_truth_says(tmp_path: Path, short_dir: Path) -> None:
    medai = command_line("http://127.0.0.1:9", "", short_dir)  # the demo uses its own sandbox
    out = short_dir / "demo"

    ended = await medai.run(
        *("demo", "--no-voices", "--seed", str(SEED), "--day", DAY.isoformat(), "--out", str(out))
    )

    assert (ended.code, ended.err) == (0, ""), ended.out
    assert "✗" not in ended.out
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    _check_numbers(summary, truth(generate(seed=SEED, day=DAY)))
    _check_reports(summary, out)


def _check_numbers(summary: dict[str, Any], expected: dict[str, Any]) -> None:
    clinics = list(expected["clinics"].values())

    def total(name: str) -> int:
        return sum(clinic[name] for clinic in clinics)

    reasons = {reason for clinic in clinics for reason in clinic["calls_skipped"]}
    assert summary.pop("calls_skipped") == {
        reason: sum(clinic["calls_skipped"].get(reason, 0) for clinic in clinics)
        for reason in reasons
    }
    assert summary["calls_found"] == total("calls_found") > 0
    assert summary["calls_stored"] == total("calls_stored")
    assert summary["stt_paid"] == summary["notes_written"] == total("notes_written")
    assert summary["calls_analysed"] == total("calls_analysed")
    assert summary["rows_exported"] == {
        name: sums["rows"] for name, sums in expected["rows"].items()
    }
    # One note per call, and little else.
    assert summary["notes_written"] < summary["crm_requests"] < 2 * summary["notes_written"]
    assert 0 < summary["crm_max_requests_in_one_second"] <= 7
    assert summary["truth_differences"] == []
    assert 0 < summary["seconds"] < 120


def _check_reports(summary: dict[str, Any], out: Path) -> None:
    reports = [Path(path) for path in summary["reports"]]
    assert [path.suffix for path in reports] == [".pdf", ".xlsx"] * 2
    for path in reports:
        assert path.is_relative_to(out)
        if path.suffix == ".pdf":
            assert len(pypdf.PdfReader(path).pages) > 1
        else:
            assert len(openpyxl.load_workbook(path).sheetnames) > 4


def test_a_wrong_number_ends_the_demo_with_a_failure(
    short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tampered(world: World) -> dict[str, Any]:
        found = truth(world)
        (clinic,) = found["clinics"].values()
        clinic["calls_analysed"] += 1
        return found

    monkeypatch.setattr(flow, "generate", _two_calls)
    monkeypatch.setattr(control, "truth", tampered)
    monkeypatch.setenv("MEDAI_DATA_DIR", str(short_dir / "cache"))
    out = short_dir / "tampered"

    ended = CliRunner().invoke(app, ["demo", "--no-voices", "--out", str(out)])

    assert ended.exit_code == 1, ended.output
    assert "звонков оценено: 2 вместо 3" in ended.output
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["truth_differences"] == ["звонков оценено: 2 вместо 3"]


def _two_calls(*, seed: int, day: Any) -> World:
    return generate_bulk(seed=seed, day=day, calls=2, shared_recordings=2)
