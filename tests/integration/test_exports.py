"""The export as a whole: what is due, one exporter at a time, told failures, rebuilding."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from structlog.testing import capture_logs
from tests.fixtures.report_calls import make_analysis, many_calls
from tests.fixtures.stored import rows_of

from medai.bootstrap import Application, open_application
from medai.calls.models import Audio, Call, Stage
from medai.datalens import postgres_exporter, turns
from medai.datalens.days import EXPORT_DAYS, ExportDays
from medai.datalens.errors import MetricsExportError
from medai.datalens.postgres_exporter import PostgresExporter
from medai.datalens.tables import CRITERIA, DAILY, DETAILS, FUNNEL
from medai.errors import ConflictError
from medai.infra.documents import Change
from medai.infra.postgres import dsn_of
from medai.metrics.criteria import criterion_rows
from medai.metrics.daily import daily_rows
from medai.metrics.funnel import funnel_rows
from medai.processing import export_parts

CLINIC = "c1"
TABLES = (DAILY, CRITERIA, DETAILS, FUNNEL)


_AUDIO = Audio(
    file="a.mp3", sha256="0" * 64, seconds=60, channels=1, distinct_channels=False, codec="mp3",
    size_bytes=1,
)  # fmt: skip
_DONE = {"stage": Stage.ANALYSED, "audio": _AUDIO}
_UNDER_WAY = {"stage": Stage.TRANSCRIBED, "analysis": None}


def analysed(count: int = 60) -> list[Call]:
    """As the pipeline leaves them; every third is not analysed yet."""
    return [
        call.model_copy(update=_UNDER_WAY if number % 3 == 2 else _DONE)
        for number, call in enumerate(many_calls(count, seed=3))
    ]


@pytest.fixture
async def calls(application: Application) -> list[Call]:
    """Calls of a month whose days are due."""
    made = analysed()
    await application.calls.insert_many(made)
    for day in {call.business_day for call in made}:
        await ExportDays(application.documents).touch(CLINIC, day)
    return made


async def due(application: Application) -> list[date]:
    return [day.day async for day in ExportDays(application.documents).due(None)]


async def counts(application: Application) -> dict[str, int]:
    found = await rows_of(application)
    return {table.name: len(found[table.name]) for table in TABLES}


def expected(calls: Sequence[Call]) -> dict[str, int]:
    shown = [call for call in calls if call.stage in (Stage.ANALYSED, Stage.EXPORTED)]
    details = [c for c in shown if c.analysis and c.analysis.recommendations and c.audio]
    return {
        DAILY.name: len(daily_rows(shown)),
        CRITERIA.name: len(criterion_rows(shown)),
        DETAILS.name: len(details),
        FUNNEL.name: len(funnel_rows(calls)),
    }


async def test_everything_is_written_once_and_marked(
    application: Application, calls: list[Call]
) -> None:
    assert await application.exports.export(None) == expected(calls)
    assert await counts(application) == expected(calls)
    assert await due(application) == []
    stages = await application.calls.count_by("stage", CLINIC, None)
    assert stages["exported"] == sum(call.stage is Stage.ANALYSED for call in calls)
    before = await rows_of(application)
    assert await application.exports.export(None) == {}
    assert await application.exports.export(None, full=True) == dict.fromkeys(expected(calls), 0)
    assert await rows_of(application) == before


@pytest.mark.parametrize("at_once", [1, 7, 1_000])
async def test_parts_of_any_size_give_the_same_rows(
    application: Application, calls: list[Call], at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_parts, "CALLS_AT_ONCE", at_once)
    assert await application.exports.export(None) == expected(calls)
    assert await counts(application) == expected(calls)


async def test_two_exports_at_once_follow_each_other(
    application: Application, calls: list[Call]
) -> None:
    both = await asyncio.gather(*(application.exports.export(CLINIC) for _ in range(2)))
    assert sorted(both, key=len) == [{}, expected(calls)]


async def test_an_export_waits_for_one_of_another_process(
    application: Application, calls: list[Call]
) -> None:
    async with PostgresExporter(application.pool).alone():
        waiting = asyncio.create_task(application.exports.export(CLINIC))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(waiting), 0.3)
        assert (await counts(application))[DAILY.name] == 0
    assert await waiting == expected(calls)


async def test_a_day_that_changed_meanwhile_stays_due(application: Application) -> None:
    days, monday = ExportDays(application.documents), date(2026, 9, 7)
    await days.touch(CLINIC, monday)
    (seen,) = [day async for day in days.due(None)]
    await days.touch(CLINIC, monday)
    await days.exported([seen])
    (newer,) = [day async for day in days.due(None)]
    assert newer.version == seen.version + 1
    # Another export writes the newer version, and only then we write what we saw.
    await days.exported([newer])
    assert await due(application) == []
    await days.exported([seen])
    assert await due(application) == [monday], "the older figures would have stayed"


async def test_a_day_that_cannot_be_written_stops_no_other(
    application: Application, calls: list[Call]
) -> None:
    bad = next(call for call in calls if call.stage is Stage.ANALYSED)
    await application.calls.change(bad.id, {"duration_seconds": 2**40})
    with pytest.raises(MetricsExportError, match=f"1 .*{bad.business_day:%d.%m.%Y}"):
        await application.exports.export(None)
    assert await due(application) == [bad.business_day]
    others = [call for call in calls if call.business_day != bad.business_day]
    assert await counts(application) == expected(others)
    await application.calls.change(bad.id, {"duration_seconds": bad.duration_seconds})
    await application.exports.export(None)
    assert await counts(application) == expected(calls)
    assert await due(application) == []


async def test_the_log_says_why_a_day_was_not_written_and_quotes_no_call(
    application: Application, calls: list[Call]
) -> None:
    done = [call for call in calls if call.stage is Stage.ANALYSED]
    await application.calls.change(done[0].id, {"duration_seconds": 2**40})
    await application.calls.change(done[1].id, {"phone": 79000000001, "administrator": ["Анна"]})
    with capture_logs() as logs, pytest.raises(MetricsExportError, match="не выгружено: 2"):
        await application.exports.export(None)
    told = {line["reason"] for line in logs if line["event"] == "day not exported"}
    overfull, damaged = sorted(told)
    assert overfull == "column total_duration_seconds"
    assert done[1].id in damaged
    assert "(поля administrator, phone)" in damaged
    assert "Анна" not in str(logs)


async def test_tables_are_free_while_calls_are_read(
    application: Application, calls: list[Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store may take long to give a year: whoever changes a table need not wait for it."""
    of_days, looked = application.exports._calls.of_days, list[str]()

    async def looking(*which: Any) -> AsyncIterator[Call]:
        async for call in of_days(*which):
            with psycopg.connect(dsn_of(application.pool)) as other:
                for table in TABLES:
                    other.execute(f"LOCK TABLE {table.name} NOWAIT".encode())
            looked.append(call.id)
            yield call

    monkeypatch.setattr(application.exports._calls, "of_days", looking)
    assert await application.exports.export(None) == expected(calls)
    assert len(looked) == len(calls)


async def test_a_full_export_repairs_what_was_altered_by_hand(
    application: Application, calls: list[Call]
) -> None:
    await application.exports.export(None)
    before = await rows_of(application)
    async with application.pool.connection() as connection:
        await connection.execute("UPDATE daily_summary_metrics SET total_calls = 999")
        await connection.execute("UPDATE call_details SET is_effective = NULL")
    assert await application.exports.export(None) == {}
    await application.exports.export(None, full=True)
    assert await rows_of(application) == before


async def test_a_call_that_is_no_call_any_more_leaves_the_boards(
    application: Application, calls: list[Call]
) -> None:
    await application.exports.export(None)
    gone = next(call for call in calls if call.stage is Stage.ANALYSED)
    skipped = {"stage": "skipped", "skip_reason": "duplicate"}
    await application.calls.change(gone.id, skipped)
    await ExportDays(application.documents).touch(CLINIC, gone.business_day)
    await application.exports.export(None)
    assert await counts(application) == expected([c for c in calls if c.id != gone.id])


async def test_days_nobody_touched_are_found_by_their_calls(application: Application) -> None:
    made = analysed(12)
    await application.calls.insert_many(made)
    written = await application.exports.export(None)
    assert written[DAILY.name] == expected(made)[DAILY.name]


class Counting:
    """A document store that counts the questions it is asked."""

    def __init__(self, documents: Any) -> None:
        self._documents = documents
        self.queries = 0

    def __getattr__(self, name: str) -> Any:
        self.queries += 1
        return getattr(self._documents, name)


async def test_questions_do_not_grow_with_days(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A month and a year of days cost the same few questions."""
    (one,) = analysed(1)
    counting = Counting(application.documents)
    for part in (application.exports._calls, application.exports._days):
        monkeypatch.setattr(part, "_documents", counting)
    asked = []
    for days in (30, 300):
        await application.documents.delete(EXPORT_DAYS, {"client_id": CLINIC})
        made = [
            one.model_copy(
                update={
                    "id": f"{days}-{n}", "note_id": days * 1_000 + n, "stage": Stage.EXPORTED,
                    "business_day": one.business_day + timedelta(days=n),
                    "analysis": make_analysis(),
                }
            )
            for n in range(days)
        ]  # fmt: skip
        await application.calls.insert_many(made)
        for call in made:
            await ExportDays(application.documents).touch(CLINIC, call.business_day)
        counting.queries = 0
        await application.exports.export(CLINIC)
        asked.append(counting.queries)
    assert asked[1] <= asked[0] + 1  # 300 ids are two lists of at most 200


async def test_due_days_are_marked_by_version(application: Application) -> None:
    days = ExportDays(application.documents)
    for n in range(5):
        for _ in range(n + 1):
            await days.touch(CLINIC, date(2026, 9, 1) + timedelta(days=n))
    seen = [day async for day in days.due(None)]
    await application.documents.update(
        EXPORT_DAYS, seen[2].doc_id, Change(increment={"version": 1})
    )  # fmt: skip
    await days.exported(seen)
    assert await due(application) == [seen[2].day]


async def test_an_export_that_waits_in_vain_names_who_holds_the_turn(
    application: Application, calls: list[Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any role that may connect can take the lock."""
    monkeypatch.setattr(turns, "QUIET_SECONDS", 0.1)
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.3)
    dsn = make_conninfo(dsn_of(application.pool), application_name="foreign tool")
    with psycopg.connect(dsn, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('medai.datalens.run', 0))")
        pid, told = other.info.backend_pid, list[str]()
        with capture_logs() as logs, pytest.raises(ConflictError, match=f"pid {pid}, с "):
            await application.exports.export(None, waiting=told.append)
    (line,) = [line for line in logs if line["event"] == "export waits for another one"]
    assert line["holder"].startswith(f"medai (foreign tool), pid {pid}")
    assert told == [line["holder"]]
    assert await application.exports.export(None) == expected(calls)


async def test_a_table_that_somebody_locked_ends_the_export(
    application: Application, calls: list[Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_exporter, "_WAIT", "SET LOCAL lock_timeout = 200")
    with psycopg.connect(dsn_of(application.pool)) as other:
        other.execute("LOCK TABLE call_details IN SHARE MODE")
        with pytest.raises(ConflictError, match="заняты"):
            await application.exports.export(None)
    assert await application.exports.export(None) == expected(calls)


async def test_the_log_names_the_constraint_that_refused_a_day(
    application: Application, calls: list[Call]
) -> None:
    async with application.pool.connection() as connection:
        await connection.execute(
            "ALTER TABLE daily_summary_metrics ADD CONSTRAINT small CHECK (total_calls < 0)"
        )
    with capture_logs() as logs, pytest.raises(MetricsExportError):
        await application.exports.export(None)
    told = {line["reason"] for line in logs if line["event"] == "day not exported"}
    assert told == {"daily_summary_metrics constraint small"}


async def test_tables_that_were_changed_are_written_again(
    application: Application, calls: list[Call]
) -> None:
    await application.exports.export(None)
    before = await rows_of(application)
    async with application.pool.connection() as connection:
        await connection.execute("ALTER TABLE daily_summary_metrics DROP COLUMN fg_percent")
    async with open_application(application.settings):
        assert await due(application) == sorted({call.business_day for call in calls})
    await application.exports.export(None)
    assert await rows_of(application) == before


async def test_days_due_for_long_are_counted(application: Application) -> None:
    now = datetime(2026, 9, 10, tzinfo=UTC)
    long_ago = ExportDays(application.documents, lambda: now - timedelta(days=2))
    just_now = ExportDays(application.documents, lambda: now)
    for day in (3, 2, 5):
        await long_ago.touch(CLINIC, date(2026, 9, day))
    await just_now.touch(CLINIC, date(2026, 9, 1))
    await just_now.touch(CLINIC, date(2026, 9, 5))  # due already: since then, not since now
    count, oldest = await just_now.overdue(now - timedelta(days=1))
    assert (count, oldest and oldest.day) == (3, date(2026, 9, 2))
    await just_now.exported([day async for day in just_now.due(None)])
    await just_now.touch(CLINIC, date(2026, 9, 2))
    assert await just_now.overdue(now - timedelta(days=1)) == (0, None)
