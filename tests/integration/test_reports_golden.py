"""Every number of PDF and Excel equals the metrics in PostgreSQL and a plain count of the calls."""

import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
import pytest_asyncio
from openpyxl import load_workbook
from openpyxl.workbook import Workbook
from psycopg.rows import dict_row
from pypdf import PdfReader
from tests.fixtures.application import settings_for
from tests.fixtures.report_calls import ADVICE, many_calls
from tests.fixtures.stores import empty_database

from medai.bootstrap import Application, open_application
from medai.calls.models import Analysis, Call, Stage
from medai.cli.demo.scenario import connect
from medai.kit.days import DayRange
from medai.kit.ids import call_id
from medai.sandbox.audio.store import AudioStore
from medai.sandbox.client import Control
from medai.sandbox.server import SandboxServer
from medai.sandbox.world.models import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

PERIOD = DayRange(date(2026, 11, 2), date(2026, 11, 15))
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Made:
    """One clinic's two weeks: raw calls, rows of DataLens, and both printed reports."""

    calls: list[Call]
    daily: Rows
    criteria: Rows
    text: str
    book: Workbook

    def sheet(self, name: str) -> list[tuple[Any, ...]]:
        return list(self.book[name].iter_rows(values_only=True))


@dataclass(frozen=True, slots=True)
class Sums:
    """What every table is computed from."""

    calls: int
    converted: int
    seconds: int
    score: float
    scored: int

    @property
    def conversion(self) -> float:
        return self.converted / self.calls

    @property
    def fg(self) -> float | None:
        return self.score / self.scored * 10 if self.scored else None


def of_calls(calls: Iterable[Call]) -> Sums:
    chosen = list(calls)
    scores = [analysis_of(call).overall for call in chosen if analysis_of(call).overall != 0]
    return Sums(
        len(chosen),
        sum(call.converted for call in chosen),
        sum(call.duration_seconds for call in chosen),
        sum(scores),
        len(scores),
    )


def of_rows(rows: Iterable[dict[str, Any]]) -> Sums:
    chosen = list(rows)

    def total(name: str) -> Any:
        return sum(row[name] for row in chosen)

    return Sums(
        total("total_calls"),
        total("converted_calls"),
        total("total_duration_seconds"),
        float(total("total_overall_score")),
        total("scored_calls_count"),
    )


def analysis_of(call: Call) -> Analysis:
    assert call.analysis
    return call.analysis


def same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) < 1e-9


def shown(value: float | None, unit: str = "") -> str:
    """As a reader expects it: half away from zero, a comma, a dash for nothing."""
    if value is None:
        return "—"
    rounded = Decimal(repr(round(value, 9))).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return f"{rounded}".replace(".", ",") + unit


def length(seconds: float) -> str:
    minutes, rest = divmod(int(seconds + 0.5), 60)
    return f"{minutes}:{rest:02d}"


def percent(value: float | None) -> str:
    return shown(None if value is None else value * 100, " %")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(
    sandbox_world: World,
    sandbox_audio: AudioStore,
    postgres_server: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Made:
    with (
        SandboxServer(sandbox_world, sandbox_audio) as server,
        Control(server.url) as control,
        empty_database(postgres_server) as dsn,
    ):
        settings = settings_for(server.url, dsn, tmp_path_factory.mktemp("golden"))
        async with open_application(settings) as app:
            details = control.clinics()[0]
            await connect(app, details)
            return await _made(app, details["client_id"])


async def _made(app: Application, client_id: str) -> Made:
    calls = [_exported(call, client_id) for call in many_calls(160, period=PERIOD, seed=5)]
    await app.calls.insert_many(calls)
    await app.exports.export(client_id, full=True)
    report = await app.reports.generate(client_id, PERIOD)
    pages = PdfReader(io.BytesIO(await app.files.read(report.pdf))).pages
    text = " ".join(page.extract_text() for page in pages).replace("\u200b", "")
    return Made(
        calls,
        await _rows(app, client_id, "daily_summary_metrics"),
        await _rows(app, client_id, "call_criteria_metrics"),
        re.sub(r"\s+", " ", text),
        load_workbook(io.BytesIO(await app.files.read(report.excel))),
    )


def _exported(call: Call, client_id: str) -> Call:
    """A call that both reports and boards count: boards leave out calls without advice."""
    analysis = analysis_of(call)
    advised = analysis.model_copy(update={"recommendations": analysis.recommendations or ADVICE})
    changes = {
        "id": call_id(client_id, call.note_id),
        "client_id": client_id,
        "stage": Stage.ANALYSED,
        "analysis": advised,
    }
    return call.model_copy(update=changes)


async def _rows(app: Application, client_id: str, table: str) -> Rows:
    query = f"SELECT * FROM {table} WHERE client_id = %s"  # noqa: S608
    async with app.pool.connection() as connection:
        cursor = connection.cursor(row_factory=dict_row)
        return await (await cursor.execute(query, [client_id])).fetchall()


def _checked(made: Made, of: Callable[[Call], str], column: str, name: str | None) -> Sums:
    """The sums of one name (None: of all), the same from calls and from PostgreSQL."""
    raw = of_calls(call for call in made.calls if name in (None, of(call)))
    stored = of_rows(row for row in made.daily if name in (None, row[column]))
    assert (raw.calls, raw.converted, raw.seconds, raw.scored) == (
        stored.calls, stored.converted, stored.seconds, stored.scored,
    )  # fmt: skip
    assert same(raw.score, stored.score)
    return raw


async def test_the_cover_and_the_summary_sheet(made: Made) -> None:
    total = _checked(made, lambda _: "", "source", None)
    for expected in (
        f"Звонки {total.calls}",
        f"Общая длительность, мин {length(total.seconds)}",
        f"Средний звонок, мин {length(total.seconds / total.calls)}",
        f"Конверсия {percent(total.conversion)}",
        f"FG % {shown(total.fg, ' %')}",
    ):
        assert expected in made.text
    cells = {row[0]: row[1] for row in made.sheet("Сводная информация") if row[0]}
    assert cells["Всего звонков"] == total.calls
    assert cells["Записи в CRM"] == total.converted
    assert same(cells["Конверсия, %"], total.conversion)
    assert total.fg is not None
    assert same(cells["FG, %"], total.fg / 100)
    assert cells["Общая длительность, мин:сек"] == timedelta(seconds=total.seconds)
    speeds = [row for row in made.daily if row["calls_with_processing_speed_count"]]
    speed = sum(row["total_processing_speed_minutes"] for row in speeds) / sum(
        row["calls_with_processing_speed_count"] for row in speeds
    )
    assert same(cells["Скорость обработки, мин"], float(speed))
    assert f"Скорость обработки {shown(float(speed))} мин" in made.text


async def test_administrators(made: Made) -> None:
    rows = {row[1]: row for row in made.sheet("Администраторы")[1:]}
    for name in {call.administrator for call in made.calls}:
        sums = _checked(made, lambda call: call.administrator, "administrator", name)
        own = [call for call in made.calls if call.administrator == name]
        sides = {
            label: of_calls(call for call in own if call.direction.label == label)
            for label in ("Входящий", "Исходящий")
        }
        for label, side in sides.items():
            stored = of_rows(
                row for row in made.daily
                if (row["administrator"], row["call_direction"]) == (name, label)
            )  # fmt: skip
            assert (side.calls, side.converted) == (stored.calls, stored.converted)
        inbound, outbound = sides["Входящий"], sides["Исходящий"]
        assert rows[name][2:5] == (sums.calls, inbound.calls, outbound.calls)
        assert sums.fg is not None
        for cell, value in zip(
            rows[name][5:9],
            (inbound.conversion, outbound.conversion, sums.fg / 100, sums.conversion),
            strict=True,
        ):
            assert same(cell, value)
        printed = (
            f"{name} {sums.calls} {inbound.calls} {outbound.calls} {percent(sums.conversion)} "
            f"{percent(inbound.conversion)} {percent(outbound.conversion)} {shown(sums.fg, ' %')} "
            f"{length(sums.seconds / sums.calls)}"
        )
        assert printed in made.text
        assert f"{name} {length(sums.seconds)}" in made.text  # the bar of minutes


async def test_sources_and_call_types(made: Made) -> None:
    for sheet, column, of in (
        ("Источники", "source", lambda call: call.source),
        ("Типы звонков", "call_type", lambda call: analysis_of(call).call_type),
    ):  # type: str, str, Callable[[Call], str]
        rows = {row[1]: row for row in made.sheet(sheet)[1:]}
        names = {of(call) for call in made.calls}
        assert set(rows) == {*names, "Итого"}
        for name in names:
            sums = _checked(made, of, column, name)
            share = sums.calls / len(made.calls)
            assert rows[name][2] == sums.calls
            assert same(rows[name][3], share)
            assert same(rows[name][6], sums.conversion)
            assert rows[name][7] == sums.converted
            assert same(rows[name][8], None if sums.fg is None else sums.fg / 100)
            assert f"{name} {sums.calls} {percent(share)}" in made.text
            end = f"{sums.converted} {percent(sums.conversion)} {shown(sums.fg, ' %')}"
            assert end in made.text
            assert f"{name} · {sums.calls} {percent(sums.conversion)}" in made.text  # the bar


async def test_days(made: Made) -> None:
    days = [row for row in made.sheet("Сводная информация") if isinstance(row[0], datetime)]
    assert [row[0].date() for row in days] == list(PERIOD)
    for row in days:
        stored = of_rows(one for one in made.daily if one["metric_date"] == row[0].date())
        own = of_calls(call for call in made.calls if call.business_day == row[0].date())
        assert (row[1], row[2]) == (stored.calls, stored.converted) == (own.calls, own.converted)


async def test_criteria_by_week(made: Made) -> None:
    sheet = made.sheet("Оценки по неделям")
    for call_type in {row["call_type"] for row in made.criteria}:
        top = next(n for n, row in enumerate(sheet) if str(row[0]).startswith(f"{call_type} —"))
        head, weeks = sheet[top + 1], sheet[top + 2 : top + 4]
        mondays = sorted({row["week_start_date"] for row in made.criteria})
        criteria = {r["criterion_name"] for r in made.criteria if r["call_type"] == call_type}
        assert set(head[3:-1]) - {None} >= criteria
        for criterion in criteria:
            means = [_mean(made, call_type, criterion, [monday]) for monday in mondays]
            place = head.index(criterion)
            assert all(same(a[place], b) for a, b in zip(weeks, means, strict=True))
            whole = _mean(made, call_type, criterion, mondays)
            printed = " ".join(shown(value) for value in (whole, *means))
            assert f"{criterion} {printed}" in made.text


def _mean(made: Made, call_type: str, name: str, mondays: Sequence[date]) -> float | None:
    rows = [
        row for row in made.criteria
        if (row["call_type"], row["criterion_name"]) == (call_type, name)
        and row["week_start_date"] in mondays
    ]  # fmt: skip
    count = sum(row["scored_calls_count"] for row in rows)
    return float(sum(row["total_score"] for row in rows)) / count if count else None


async def test_the_heat_map_adds_up_to_all_calls(made: Made) -> None:
    start = made.text.index("Начало звонка по времени клиники")
    cells = made.text[start:].split("Оценки по критериям")[0].split("Вс", 1)
    numbers = [int(n) for n in re.findall(r"\b\d+\b", cells[0])]
    sunday = [int(n) for n in re.findall(r"\b\d+\b", cells[1])]
    hours = list(range(8, 21))
    assert sunday[-len(hours) :] == hours
    assert sum(numbers) + sum(sunday[: -len(hours)]) == len(made.calls)


async def test_the_funnel_and_the_reasons(made: Made) -> None:
    first = [call for call in made.calls if analysis_of(call).call_type_id == 1]
    booked = sum(call.converted for call in first)
    assert f"Первичные звонки {len(first)} · 100,0 %" in made.text
    assert f"Записались (по CRM) {booked} · {percent(booked / len(first))}" in made.text
    lost = [c for c in made.calls if analysis_of(c).call_type_id in (1, 2, 3) and not c.converted]
    no_step = sum(
        score is not None and score < 5
        for score in (analysis_of(call).scores.get("next_step") for call in lost)
    )
    assert f"Нет следующего шага {no_step} · {percent(no_step / len(lost))}" in made.text
    cells = {row[0]: row[1] for row in made.sheet("Сводная информация") if row[0]}
    assert cells["Записались (по CRM)"] == booked
    assert cells["Нет следующего шага"] == no_step
