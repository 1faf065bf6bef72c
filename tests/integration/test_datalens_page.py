"""docs/datalens.md: every statement runs as the reader role, every column it names exists."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.fixtures.metric_rows import conclusions, quota
from tests.fixtures.report_calls import Links, many_calls

from medai.bootstrap import Application
from medai.calls.models import Call, Stage
from medai.datalens.postgres_exporter import PostgresExporter
from medai.datalens.reader_role import make_reader
from medai.datalens.tables import BOARDS, CRITERIA, DAILY, DETAILS, FUNNEL, METADATA
from medai.infra.postgres import dsn_of
from medai.metrics.tally import Tally

PAGE = (Path(__file__).parents[2] / "docs" / "datalens.md").read_text(encoding="utf-8")
STATEMENTS = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
ROLE = "reader_of_the_page"
PASSWORD = "a long password of a test"
Reader = psycopg.Connection[tuple[Any, ...]]


def scored_calls() -> list[Call]:
    """As the pipeline leaves them."""
    calls = many_calls(200, seed=5)
    return [call.model_copy(update={"stage": Stage.EXPORTED}) for call in calls]


async def write(exporter: PostgresExporter, client_id: str, calls: list[Call]) -> None:
    tally = Tally(Links())
    details = [row for call in calls if (row := tally.add(call))]
    days = sorted({call.business_day for call in calls})
    async with exporter.replacing(client_id, days) as replacement:
        await replacement.add(DETAILS, details)
        await replacement.add(DAILY, tally.daily.rows())
        await replacement.add(CRITERIA, tally.criteria.rows())
        await replacement.add(FUNNEL, tally.funnel.rows())


@pytest.fixture
async def reader(application: Application) -> AsyncIterator[Reader]:
    """A connection of the reader role to metrics of invented calls."""
    exporter = PostgresExporter(application.pool)
    for client_id in {call.client_id for call in scored_calls()}:
        await write(exporter, client_id, [c for c in scored_calls() if c.client_id == client_id])
    await exporter.upsert_quotas([quota(client_id="c1", used_seconds=5_700)], [])
    await exporter.upsert_recommendations([conclusions()])
    await make_reader(application.pool, ROLE, PASSWORD)
    dsn = make_conninfo(dsn_of(application.pool), user=ROLE, password=PASSWORD)
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection
    async with application.pool.connection() as owner:
        await owner.execute(f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}".encode())


async def test_every_statement_of_the_page_gives_rows(reader: Reader) -> None:
    assert len(STATEMENTS) >= 6
    for statement in STATEMENTS:
        assert reader.execute(statement.encode()).fetchall(), statement


async def test_every_column_of_the_page_exists(reader: Reader) -> None:
    described = dict(
        re.findall(r"^\| `(\w+)` \| [^|]+ \| (`.*`|as in the .*) \|$", PAGE, re.MULTILINE)
    )
    assert described.keys() >= {*BOARDS, *(table.name for table in METADATA.sorted_tables)}
    for name, columns in described.items():
        found = reader.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
            " ORDER BY ordinal_position", [name]
        ).fetchall()  # fmt: skip
        present = [column for (column,) in found if column not in {"id", "created_at"}]
        named = re.findall(r"`(\w+)`", columns)
        assert present == (named or present), name
        assert present, name


async def test_columns_named_for_charts_exist(reader: Reader) -> None:
    charts = re.findall(r"^\| [^|`]+ \| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    assert len(charts) == 8
    for source, dimensions, measures in charts:
        names = {*re.findall(r"`(\w+)`", dimensions), *re.findall(r"\[(\w+)\]", measures)}
        for name in names - {"month", "week"}:
            reader.execute(f"SELECT {name} FROM {source} LIMIT 0".encode())  # noqa: S608


async def test_views_and_their_columns_are_described_in_russian(reader: Reader) -> None:
    query = """SELECT c.relname, a.attname, col_description(c.oid, a.attnum), obj_description(c.oid)
        FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
        WHERE c.relname = ANY(%s)"""
    rows = reader.execute(query, [list(BOARDS)]).fetchall()
    assert {row[0] for row in rows} == set(BOARDS)
    for _, _, column, view in rows:
        assert re.search("[а-я]", column, re.IGNORECASE) or column.startswith("FG")
        assert re.search("[а-я]", view, re.IGNORECASE)


async def test_views_agree_with_the_calls(reader: Reader) -> None:
    """Computed here once more from the very calls."""
    calls = scored_calls()
    shown = [call for call in calls if call.analysis and call.analysis.recommendations]
    sums = "SELECT sum(total_calls), sum(converted_calls) FROM board_administrators_weekly"
    booked = sum(call.converted for call in shown)
    assert reader.execute(sums).fetchall() == [(len(shown), booked)]

    query = """SELECT administrator, sum(total_score), sum(scored_calls_count)
        FROM board_criteria_heatmap GROUP BY 1"""
    scores: dict[str, list[int]] = {}
    for call in shown:
        found = [
            s for s in (call.analysis.scores if call.analysis else {}).values() if s is not None
        ]
        scores.setdefault(call.administrator, []).extend(found)
    assert {name: (total, count) for name, total, count in reader.execute(query).fetchall()} == {
        name: (sum(found), len(found)) for name, found in scores.items() if found
    }

    stages = "SELECT stage_name, sum(calls) FROM board_funnel_stages GROUP BY 1"
    counts: dict[str, int] = dict(reader.execute(stages).fetchall())
    assert counts["Звонки"] >= counts["Разговоры"] >= counts["Расшифрованы"] >= counts["Оценены"]
    assert counts["Звонки"] == len(calls)
    quota_row = "SELECT clinic_name, used_minutes, limit_minutes, left_minutes, used_percent"
    assert reader.execute(f"{quota_row} FROM board_quota".encode()).fetchall() == [
        ("Улыбка", 95, 100, 5, 95)
    ]
    names = reader.execute("SELECT DISTINCT clinic_name FROM board_funnel").fetchall()
    assert names == [("Улыбка",)]
