"""DataLens tables: whole days replaced, repetition changes nothing, old databases adopted."""

import asyncio
from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg
import pytest
from sqlalchemy import Table, create_engine, inspect
from sqlalchemy.pool import NullPool
from tests.fixtures.metric_rows import (
    MONDAY,
    TUESDAY,
    conclusions,
    criterion,
    daily,
    detail,
    quota,
    replace_day,
)

from medai.datalens import schema
from medai.datalens.postgres_exporter import PostgresExporter
from medai.datalens.tables import (
    CRITERIA,
    DAILY,
    DETAILS,
    FUNNEL,
    METADATA,
    QUOTA,
    RECOMMENDATIONS,
    written_columns,
)
from medai.errors import StoreError
from medai.infra.postgres import Pool, open_pool
from medai.metrics.rows import (
    CriterionRow,
    DailyRow,
    DetailRow,
    FunnelRow,
    QuotaRow,
    RecommendationRow,
)

OLD_TABLES = """
CREATE TABLE daily_summary_metrics (
    id SERIAL PRIMARY KEY, metric_date DATE NOT NULL, week_start_date DATE,
    client_id VARCHAR(255) NOT NULL, subdomain VARCHAR(255), administrator VARCHAR(255),
    call_direction VARCHAR(50), source VARCHAR(255), call_type VARCHAR(255), total_calls INT,
    converted_calls INT, conversion_rate NUMERIC, total_duration_seconds INT,
    avg_duration_seconds NUMERIC, total_overall_score NUMERIC, scored_calls_count INT,
    fg_percent NUMERIC, total_processing_speed_minutes NUMERIC,
    calls_with_processing_speed_count INT, avg_processing_speed_minutes NUMERIC,
    created_at TIMESTAMPTZ DEFAULT now(),
    UNIQUE (metric_date, client_id, subdomain, administrator, call_direction, source, call_type));
CREATE TABLE call_details (
    call_mongo_id TEXT PRIMARY KEY, metric_date DATE, administrator TEXT, transcript_url TEXT,
    recording_url TEXT, recommendations_text TEXT, client_id TEXT, subdomain TEXT, call_id TEXT);
INSERT INTO daily_summary_metrics (metric_date, client_id, subdomain, source, total_calls) VALUES
    ('2026-03-01', 'clinic', 'smile', NULL, 1), ('2026-03-01', 'clinic', 'smile', NULL, 2),
    ('2026-03-01', 'clinic', 'smile', 'Сайт', 3);
INSERT INTO call_details (call_mongo_id, metric_date, client_id) VALUES
    ('65f000000000000000000001', '2026-03-01', 'clinic');
"""


@pytest.fixture
def migrated_dsn(postgres_dsn: str) -> str:
    schema.upgrade(postgres_dsn)
    return postgres_dsn


@pytest.fixture
def exporter(migrated_dsn: str, pool: Pool) -> PostgresExporter:
    return PostgresExporter(pool)


async def stored(pool: Pool, table: Table, columns: str = "*") -> list[tuple[Any, ...]]:
    async with pool.connection() as connection:
        query = f"SELECT {columns} FROM {table.name} ORDER BY {table.columns[0].name}"  # noqa: S608
        return await (await connection.execute(query.encode())).fetchall()


async def snapshot(pool: Pool) -> list[list[tuple[Any, ...]]]:
    return [await stored(pool, table) for table in (DAILY, CRITERIA, DETAILS, RECOMMENDATIONS)]


class TestExport:
    async def test_rows_arrive_as_they_are(self, exporter: PostgresExporter, pool: Pool) -> None:
        written = await replace_day(
            exporter, "clinic", MONDAY, [daily()], [criterion()], [detail()]
        )
        assert written == {DAILY.name: 1, CRITERIA.name: 1, DETAILS.name: 1}
        assert await exporter.upsert_recommendations([conclusions()]) == 1
        for table, row in (
            (DAILY, daily()), (CRITERIA, criterion()), (DETAILS, detail()),
            (RECOMMENDATIONS, conclusions()._replace(summary_points=list(
                conclusions().summary_points))),  # type: ignore[arg-type]
        ):  # fmt: skip
            assert await stored(pool, table, ", ".join(written_columns(table))) == [row]

    async def test_repeating_a_day_changes_nothing(
        self, exporter: PostgresExporter, pool: Pool
    ) -> None:
        async def export() -> dict[str, int]:
            await exporter.upsert_recommendations([conclusions()])
            return await replace_day(
                exporter,
                "clinic",
                MONDAY,
                [daily(), daily(source="Звонок")],
                [criterion()],
                [detail()],
            )

        await export()
        before = await snapshot(pool)
        assert await export() == {DAILY.name: 0, CRITERIA.name: 0, DETAILS.name: 0}
        assert await exporter.upsert_recommendations([conclusions()]) == 0
        assert await snapshot(pool) == before
        await replace_day(exporter, "clinic", MONDAY, [daily(source="Новый")], [], [])
        ids = [row[0] for row in await stored(pool, DAILY, "id")]
        assert ids == [before[0][-1][0] + 1], "repetitions used up ids"

    async def test_a_changed_row_keeps_its_id(self, exporter: PostgresExporter, pool: Pool) -> None:
        await replace_day(exporter, "clinic", MONDAY, [daily(), daily(source="Б")], [], [])
        before = await stored(pool, DAILY, "id, created_at")
        changed = [daily(total_calls=3, fg_percent=None), daily(source="Б")]
        written = await replace_day(exporter, "clinic", MONDAY, changed, [], [])
        assert written[DAILY.name] == 1
        assert await stored(pool, DAILY, "id, created_at") == before
        assert (3, None) in await stored(pool, DAILY, "total_calls, fg_percent")

    async def test_a_renamed_administrator_leaves_no_row(
        self, exporter: PostgresExporter, pool: Pool
    ) -> None:
        other = (
            [daily(client_id="other")],
            [criterion(client_id="other")],
            [detail(client_id="other", call_mongo_id="other")],
        )
        await replace_day(exporter, "other", MONDAY, *other)
        later = {"metric_date": TUESDAY}
        await replace_day(exporter,
            "clinic", TUESDAY, [daily(**later)], [criterion(**later)],
            [detail(call_mongo_id="later", **later)],
        )  # fmt: skip
        for name in ("Анна Тестова", "Анна Примерова"):
            new = {"administrator": name}
            await replace_day(
                exporter, "clinic", MONDAY, [daily(**new)], [criterion(**new)], [detail(**new)]
            )
        for table in (DAILY, CRITERIA, DETAILS):
            names = await stored(pool, table, "client_id, metric_date, administrator")
            assert sorted(names) == [
                ("clinic", MONDAY, "Анна Примерова"),
                ("clinic", TUESDAY, "Анна Тестова"),
                ("other", MONDAY, "Анна Тестова"),
            ]

    async def test_missing_labels_cannot_repeat(
        self, exporter: PostgresExporter, pool: Pool
    ) -> None:
        for _ in range(2):
            empty = daily(source=None, administrator=None)
            await replace_day(exporter, "clinic", MONDAY, [empty], [], [])
        assert await stored(pool, DAILY, "administrator, source") == [("", "")]
        with pytest.raises(ValueError, match="same key"):
            await replace_day(exporter, "clinic", MONDAY, [empty, daily(
                source="", administrator="")], [], [])  # fmt: skip

    async def test_a_call_may_move_to_another_day(
        self, exporter: PostgresExporter, pool: Pool
    ) -> None:
        await replace_day(exporter, "clinic", MONDAY, [], [], [detail()])
        moved = detail(metric_date=TUESDAY)
        await replace_day(exporter, "clinic", TUESDAY, [], [], [moved])
        await replace_day(exporter, "clinic", MONDAY, [], [], [])
        assert await stored(pool, DETAILS, "metric_date") == [(TUESDAY,)]

    async def test_several_days_are_one_step(self, exporter: PostgresExporter, pool: Pool) -> None:
        days = [MONDAY, TUESDAY]

        async def write(*rows: DailyRow) -> int:
            async with exporter.replacing("clinic", days) as replacement:
                for row in rows:
                    await replacement.add(DAILY, [row])
            return replacement.written[DAILY.name]

        good, too_big = daily(), daily(metric_date=TUESDAY, total_calls=2**40)
        with pytest.raises(psycopg.DataError):
            await write(good, too_big)
        assert await stored(pool, DAILY) == []
        assert await write(good, daily(metric_date=TUESDAY)) == 2
        assert await write(good) == 0
        assert await exporter.count_rows("clinic", [MONDAY, TUESDAY]) == {
            DAILY.name: 1, CRITERIA.name: 0, DETAILS.name: 0, FUNNEL.name: 0
        }  # fmt: skip
        days.pop()
        with pytest.raises(ValueError, match="day"):
            await write(daily(metric_date=TUESDAY))
        with pytest.raises(ValueError, match="same key"):
            await write(good, good)

    async def test_a_replacement_that_fails_leaves_nothing(
        self, exporter: PostgresExporter, pool: Pool
    ) -> None:
        async def fail() -> None:
            async with exporter.replacing("clinic", [MONDAY]) as replacement:
                await replacement.add(DAILY, [daily()])
                raise OSError("the source broke")

        with pytest.raises(OSError, match="the source broke"):
            await fail()
        assert await stored(pool, DAILY) == []

    async def test_past_quotas_only_grow_and_keep_their_limit(
        self, exporter: PostgresExporter, pool: Pool
    ) -> None:
        columns = "period_start, used_seconds, limit_seconds"
        assert await exporter.upsert_quotas([quota(used_seconds=60)], []) == 1
        assert await exporter.upsert_quotas([quota(used_seconds=60)], []) == 0
        for seconds in (90, 50):
            past = [quota(used_seconds=seconds, limit_seconds=1)]
            later = quota(period_start=date(2026, 4, 1), period_end=date(2026, 4, 30))
            await exporter.upsert_quotas([later], past)
            assert await stored(pool, QUOTA, columns) == [
                (date(2026, 3, 1), 90, 6_000), (date(2026, 4, 1), 0, 6_000)
            ]  # fmt: skip
        assert await exporter.upsert_quotas([], [quota(client_id="other", used_seconds=5)]) == 1

    async def test_two_exporters_at_once_agree(
        self, exporter: PostgresExporter, pool: Pool, migrated_dsn: str
    ) -> None:
        other_pool = await open_pool(migrated_dsn)
        rows = [daily(source=f"Источник {number}") for number in range(50)]
        written = await asyncio.gather(
            *(
                replace_day(one, "clinic", MONDAY, rows, [], [])
                for one in (exporter, PostgresExporter(other_pool)) * 4
            )
        )
        await other_pool.close()
        assert sum(one[DAILY.name] for one in written) == 50
        assert len(await stored(pool, DAILY)) == 50

    async def test_hostile_and_long_labels_are_stored(
        self, exporter: PostgresExporter, pool: Pool
    ) -> None:
        rows = [daily(source="и" * 300 + end) for end in "аб"] + [daily(source="\x00'; DROP --")]
        await replace_day(exporter, "clinic", MONDAY, rows, [], [])
        sources = [row[0] for row in await stored(pool, DAILY, "source")]
        assert sources[2] == "\ufffd'; DROP --"
        assert {len(source) for source in sources[:2]} == {255}

    async def test_missing_tables_say_what_to_do(self, pool: Pool) -> None:
        with pytest.raises(StoreError, match="medai db upgrade"):
            await replace_day(PostgresExporter(pool), "clinic", MONDAY, [daily()], [], [])
        with pytest.raises(StoreError, match="medai db upgrade"):
            await PostgresExporter(pool).count_rows("clinic", [MONDAY])

    def test_rows_and_tables_have_the_same_columns(self) -> None:
        pairs: list[tuple[Table, Any]] = [
            (DAILY, DailyRow), (CRITERIA, CriterionRow), (DETAILS, DetailRow),
            (RECOMMENDATIONS, RecommendationRow), (FUNNEL, FunnelRow), (QUOTA, QuotaRow),
        ]  # fmt: skip
        for table, kind in pairs:
            assert written_columns(table) == kind._fields


class TestMigrations:
    @pytest.fixture
    def connection(self, postgres_dsn: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        with psycopg.connect(postgres_dsn, autocommit=True) as connection:
            yield connection

    def shape(self, dsn: str) -> dict[str, Any]:
        """Columns, kinds, keys and indexes of the public schema."""
        engine = create_engine(
            "postgresql+psycopg://", creator=lambda: psycopg.connect(dsn), poolclass=NullPool
        )
        found = inspect(engine)
        return {
            table: (
                [(c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(table)],
                sorted(sorted(key["column_names"]) for key in found.get_unique_constraints(table)),
                sorted(str(index["column_names"]) for index in found.get_indexes(table)),
                found.get_pk_constraint(table)["constrained_columns"],
            )
            for table in found.get_table_names()
        }

    def test_an_empty_database_gets_the_tables_of_the_contract(
        self, postgres_dsn: str, postgres_server: str, connection: psycopg.Connection[Any]
    ) -> None:
        schema.upgrade(postgres_dsn)
        migrated = self.shape(postgres_dsn)
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: psycopg.connect(postgres_dsn), poolclass=NullPool,
        )  # fmt: skip
        METADATA.create_all(engine)
        assert migrated == self.shape(postgres_dsn)
        assert set(migrated) == {table.name for table in METADATA.sorted_tables}

    def test_up_down_up_on_an_empty_database(self, postgres_dsn: str) -> None:
        schema.upgrade(postgres_dsn)
        first = self.shape(postgres_dsn)
        schema.upgrade(postgres_dsn)
        assert self.shape(postgres_dsn) == first
        schema.downgrade(postgres_dsn)
        assert self.shape(postgres_dsn) == {}
        schema.upgrade(postgres_dsn)
        assert self.shape(postgres_dsn) == first

    def test_up_down_up_keeps_the_rows_of_an_old_database(
        self, postgres_dsn: str, connection: psycopg.Connection[Any]
    ) -> None:
        connection.execute(OLD_TABLES.encode())
        rows = "SELECT source, administrator, total_calls FROM daily_summary_metrics ORDER BY id"
        for step in (schema.upgrade, schema.downgrade, schema.upgrade):
            step(postgres_dsn)
            assert connection.execute(rows.encode()).fetchall() == [("", "", 2), ("Сайт", "", 3)]
            calls = connection.execute("SELECT call_type, is_effective FROM call_details")
            assert calls.fetchall() == [(None, None)]
        keys = self.shape(postgres_dsn)[DAILY.name][1]
        assert len(keys) == 1, "the old key is kept and not doubled"

    async def test_an_adopted_database_takes_an_export(
        self, postgres_dsn: str, connection: psycopg.Connection[Any], pool: Pool
    ) -> None:
        connection.execute(OLD_TABLES.encode())
        connection.execute("ALTER TABLE call_details ADD COLUMN call_type TEXT")
        schema.upgrade(postgres_dsn)
        written = await replace_day(
            PostgresExporter(pool),
            "clinic",
            date(2026, 3, 1),
            [],
            [],
            [detail(metric_date=date(2026, 3, 1))],
        )
        assert written[DETAILS.name] == 1
        assert await stored(pool, DAILY) == []
        assert len(await stored(pool, DETAILS)) == 1

    async def test_processes_that_upgrade_together_agree(self, postgres_dsn: str) -> None:
        await asyncio.gather(*(asyncio.to_thread(schema.upgrade, postgres_dsn) for _ in range(4)))
        assert len(self.shape(postgres_dsn)) == 6

    def test_an_unreachable_database_is_a_store_error(self) -> None:
        with pytest.raises(StoreError, match="POSTGRES"):
            schema.upgrade("host=/nonexistent dbname=medai")
