# ruff: noqa: S608 - table and column names of our own, no values

"""Databases of the replaced system, in whatever state people left them, become ours (contract 3).

Each variant is built by SQL, upgraded twice and exported into; ids of surviving rows, keys and the
rows of other days are compared.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg
import pytest
from tests.fixtures.metric_rows import MONDAY, conclusions, criterion, daily, detail, replace_day

from medai.datalens import schema
from medai.datalens.postgres_exporter import PostgresExporter
from medai.errors import StoreError
from medai.infra.postgres import Pool

Connection = psycopg.Connection[tuple[Any, ...]]
OLD_DAY = date(2026, 3, 1)

_DAY = """id SERIAL PRIMARY KEY, metric_date DATE NOT NULL, week_start_date DATE,
    client_id VARCHAR(255) NOT NULL, subdomain VARCHAR(255), administrator VARCHAR(255),
    call_direction VARCHAR(50), source VARCHAR(255), call_type VARCHAR(255)"""
_KEY = "metric_date, client_id, subdomain, administrator, call_direction, source, call_type"
AS_MADE = f"""
CREATE TABLE daily_summary_metrics ({_DAY}, total_calls INT, converted_calls INT,
    conversion_rate NUMERIC, total_duration_seconds INT, avg_duration_seconds NUMERIC,
    total_overall_score NUMERIC, scored_calls_count INT, fg_percent NUMERIC,
    total_processing_speed_minutes NUMERIC, calls_with_processing_speed_count INT,
    avg_processing_speed_minutes NUMERIC, created_at TIMESTAMPTZ DEFAULT now(), UNIQUE ({_KEY}));
CREATE INDEX idx_daily_date ON daily_summary_metrics (metric_date);
CREATE TABLE call_criteria_metrics ({_DAY}, criterion_name VARCHAR(255) NOT NULL,
    total_score NUMERIC, scored_calls_count INT, avg_score NUMERIC,
    created_at TIMESTAMPTZ DEFAULT now(), UNIQUE ({_KEY}, criterion_name));
CREATE TABLE call_details (call_mongo_id TEXT PRIMARY KEY, metric_date DATE, administrator TEXT,
    transcript_url TEXT, recording_url TEXT, recommendations_text TEXT, client_id TEXT,
    subdomain TEXT, call_id TEXT);
CREATE TABLE recommendation_analysis (id SERIAL PRIMARY KEY, client_id VARCHAR(255) NOT NULL,
    start_date DATE, end_date DATE NOT NULL, period_type VARCHAR(20) DEFAULT 'weekly',
    summary_points TEXT[], overall_summary TEXT, created_at TIMESTAMPTZ DEFAULT now(),
    UNIQUE (client_id, start_date, end_date, period_type));
"""
"""Word for word what the replaced exporter creates."""
ROWS = """
INSERT INTO daily_summary_metrics
    (id, metric_date, client_id, subdomain, administrator, source, total_calls, conversion_rate)
VALUES (1, '2026-03-01', 'clinic', 'smile', 'Анна Тестова', NULL, 1, 0.25),
       (2, '2026-03-01', 'clinic', 'smile', 'Анна Тестова', NULL, 2, 0.5),
       (3, '2026-03-01', 'clinic', 'smile', 'Анна Тестова', 'Сайт', 3, 0.75),
       (4, '2026-03-02', 'clinic', 'smile', 'Уволенная', 'Сайт', 9, 1);
INSERT INTO call_criteria_metrics
    (id, metric_date, client_id, subdomain, criterion_name, total_score, avg_score)
VALUES (1, '2026-03-01', 'clinic', 'smile', 'Приветствие', 5, 5),
       (2, '2026-03-01', 'clinic', 'smile', 'Приветствие', 6, 6);
INSERT INTO call_details (call_mongo_id, metric_date, client_id)
VALUES ('65f000000000000000000001', '2026-03-01', 'clinic');
INSERT INTO recommendation_analysis
    (id, client_id, start_date, end_date, period_type, summary_points, overall_summary)
VALUES (1, 'clinic', '2026-02-23', '2026-03-01', 'weekly', '{"Первый"}', 'Итог');
SELECT setval('daily_summary_metrics_id_seq', 4), setval('call_criteria_metrics_id_seq', 2),
       setval('recommendation_analysis_id_seq', 1);
"""
COMPLETED = """
ALTER TABLE call_details ADD call_type TEXT, ADD is_effective BOOLEAN, ADD matched_criteria TEXT;
"""
_D, _C, _DETAILS, _R = (
    "ALTER TABLE daily_summary_metrics", "ALTER TABLE call_criteria_metrics",
    "ALTER TABLE call_details", "ALTER TABLE recommendation_analysis",
)  # fmt: skip
_DAILY_KEY = "daily_summary_metrics_metric_date_client_id_subdomain_admin_key"
VARIANTS = {
    "as the replaced exporter made it": "",
    "completed by hand": COMPLETED,
    "half completed": f"{_DETAILS} ADD call_type VARCHAR(50)",
    "verdict and criteria in other types": f"""{_DETAILS} ADD call_type VARCHAR(20),
        ADD is_effective TEXT, ADD matched_criteria TEXT[];
        UPDATE call_details SET is_effective = 'Эффективный', matched_criteria = '{{a,b}}'""",
    "unique key dropped": f"{_D} DROP CONSTRAINT {_DAILY_KEY}",
    "unique key of fewer columns": f"""{_D} DROP CONSTRAINT {_DAILY_KEY};
        DELETE FROM daily_summary_metrics WHERE id = 1;
        CREATE UNIQUE INDEX by_hand ON daily_summary_metrics
            (metric_date, client_id, administrator, coalesce(source, ''))""",
    "key that takes NULL as equal": f"""DELETE FROM daily_summary_metrics WHERE id = 1;
        {_D} DROP CONSTRAINT {_DAILY_KEY}; {_D} ADD UNIQUE NULLS NOT DISTINCT ({_KEY})""",
    "NULL and empty label side by side": """INSERT INTO daily_summary_metrics
        (id, metric_date, client_id, subdomain, administrator, source, call_direction, call_type,
         total_calls, conversion_rate)
        VALUES (0, '2026-03-01', 'clinic', 'smile', 'Анна Тестова', '', '', '', 7, 0.1)""",
    "no primary key and no sequence": f"""{_D} DROP CONSTRAINT daily_summary_metrics_pkey;
        {_D} ALTER id DROP DEFAULT, ALTER id DROP NOT NULL;
        DROP SEQUENCE daily_summary_metrics_id_seq""",
    "sequence behind the rows (restored without setval)":
        "SELECT setval('daily_summary_metrics_id_seq', 1)",
    "sequence of another owner": f"""CREATE SEQUENCE by_hand START 5;
        {_D} ALTER id SET DEFAULT nextval('by_hand')""",
    "primary key of other columns": f"""{_DETAILS} DROP CONSTRAINT call_details_pkey;
        ALTER TABLE call_details ALTER call_mongo_id DROP NOT NULL;
        INSERT INTO call_details (call_mongo_id, metric_date, client_id) VALUES
            ('65f000000000000000000001', '2026-03-01', 'clinic'), (NULL, '2026-03-01', 'clinic');
        {_DETAILS} ADD row_id SERIAL PRIMARY KEY""",
    "identity instead of serial": f"""{_D} ALTER id DROP DEFAULT;
        DROP SEQUENCE daily_summary_metrics_id_seq;
        {_D} ALTER id ADD GENERATED ALWAYS AS IDENTITY (START 5)""",
    "short labels": f"""{_D} ALTER administrator TYPE VARCHAR(20), ALTER call_direction
        TYPE VARCHAR(5), ALTER client_id TYPE VARCHAR(6), ALTER call_type TYPE VARCHAR(4)""",
    "wide types": f"""{_D} ALTER id TYPE BIGINT, ALTER total_calls TYPE BIGINT,
        ALTER administrator TYPE TEXT, ALTER source TYPE VARCHAR""",
    "numbers in other types": f"""{_D} ALTER conversion_rate TYPE DOUBLE PRECISION,
        ALTER fg_percent TYPE INT USING NULL, ALTER total_calls TYPE SMALLINT,
        ALTER avg_duration_seconds TYPE NUMERIC(5, 1);
        {_C} ALTER avg_score TYPE TEXT""",
    "dates as text and as moments": f"""{_D} ALTER metric_date TYPE TEXT USING
        to_char(metric_date, 'DD.MM.YYYY'), ALTER week_start_date TYPE TIMESTAMP;
        {_C} ALTER metric_date TYPE TIMESTAMPTZ USING metric_date::timestamp AT TIME ZONE 'UTC';
        {_D} ALTER created_at TYPE TIMESTAMP""",
    "points as JSON": f"""{_R} ALTER summary_points TYPE JSONB USING to_jsonb(summary_points)""",
    "points as text": f"""{_R} ALTER summary_points TYPE TEXT USING summary_points[1]""",
    "NULL period": f"""{_R} ALTER period_type DROP DEFAULT;
        UPDATE recommendation_analysis SET period_type = NULL;
        INSERT INTO recommendation_analysis (id, client_id, start_date, end_date) VALUES
        (0, 'clinic', '2026-02-23', '2026-03-01')""",
    "required columns of somebody's own": f"""{_D} ADD region TEXT NOT NULL DEFAULT 'ЮФО',
        ADD note TEXT; UPDATE daily_summary_metrics SET note = ''; {_D} ALTER note SET NOT NULL;
        {_DETAILS} ALTER metric_date SET NOT NULL; UPDATE call_details SET call_id = '';
        {_DETAILS} ALTER call_id SET NOT NULL""",
    "NULL day and clinic": f"""{_D} ALTER metric_date DROP NOT NULL, ALTER client_id DROP NOT NULL;
        INSERT INTO daily_summary_metrics (id, client_id) VALUES (90, 'clinic')""",
    "columns dropped": f"""{_D} DROP created_at, DROP week_start_date,
        DROP calls_with_processing_speed_count; {_C} DROP source""",
    "a board's own view": "CREATE VIEW own AS SELECT administrator FROM daily_summary_metrics",
    "tables missing": "DROP TABLE recommendation_analysis, call_criteria_metrics",
    "a foreign alembic and its tables": """CREATE TABLE alembic_version (version_num TEXT);
        INSERT INTO alembic_version VALUES ('ffff'); CREATE TABLE own_table (id INT)""",
}  # fmt: skip
_UNIQUE = """SELECT c.conrelid::regclass::text, ARRAY(SELECT attname::text FROM pg_attribute
        WHERE attrelid = c.conrelid AND attnum = ANY(c.conkey) ORDER BY array_position(c.conkey,
        attnum))
    FROM pg_constraint AS c WHERE c.contype IN ('u', 'p')
        AND c.connamespace = 'public'::regnamespace ORDER BY 1, 2"""
_LABELS = ["metric_date", "client_id", "subdomain", "administrator", "call_direction", "source",
    "call_type"]  # fmt: skip
KEYS = [
    ("call_criteria_metrics", ["id"]),
    ("call_criteria_metrics", [*_LABELS, "criterion_name"]),
    ("call_details", ["call_mongo_id"]),
    ("daily_summary_metrics", ["id"]),
    ("daily_summary_metrics", _LABELS),
    ("recommendation_analysis", ["client_id", "start_date", "end_date", "period_type"]),
    ("recommendation_analysis", ["id"]),
]
_OURS = "SELECT metric_date, administrator, source, total_calls FROM daily_summary_metrics"


@pytest.fixture
def connection(postgres_dsn: str) -> Iterator[Connection]:
    with psycopg.connect(postgres_dsn, autocommit=True) as opened:
        yield opened


def found(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode()).fetchall()


def survivors(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """What a board shows of the old days, ids included."""
    return {
        "daily": found(connection, "SELECT id, administrator, source, total_calls, conversion_rate"
                       " FROM daily_summary_metrics ORDER BY id"),
        "details": found(connection, "SELECT call_mongo_id, metric_date FROM call_details"),
    }  # fmt: skip


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS.keys())
async def test_an_old_database_is_adopted_and_exported_into(
    variant: str, postgres_dsn: str, connection: Connection, pool: Pool
) -> None:
    connection.execute((AS_MADE + ROWS + variant).encode())
    schema.upgrade(postgres_dsn)

    adopted = survivors(connection)
    assert [(row[0], row[3]) for row in adopted["daily"]] == [(2, 2), (3, 3), (4, 9)]
    assert [row[2] for row in adopted["daily"]] == ["", "Сайт", "Сайт"]
    assert adopted["details"] == [("65f000000000000000000001", OLD_DAY)]
    keys = [row for row in found(connection, _UNIQUE) if row in KEYS]
    assert keys == KEYS
    schema.downgrade(postgres_dsn)
    schema.upgrade(postgres_dsn)
    assert survivors(connection) == adopted

    exporter = PostgresExporter(pool)
    for again in (False, True):
        long = daily(administrator="Анна" * 20, client_id="clinic", call_direction="Неизвестно")
        written = await replace_day(
            exporter, "clinic", MONDAY, [daily(), long], [criterion()], [detail()]
        )
        written["conclusions"] = await exporter.upsert_recommendations([conclusions()])
        assert list(written.values()) == ([0, 0, 0, 0] if again else [2, 1, 1, 1])
    assert found(connection, f"{_OURS} ORDER BY metric_date, source, administrator") == [
        (OLD_DAY, "Анна Тестова", "", 2),
        (OLD_DAY, "Анна Тестова", "Сайт", 3),
        (MONDAY, "Анна Тестова", "Сайт", 2),
        (MONDAY, "Анна" * 20, "Сайт", 2),
    ]
    ids = [row[0] for row in found(connection, "SELECT id FROM daily_summary_metrics ORDER BY id")]
    assert ids[:2] == [2, 3]
    assert len(set(ids)) == 4


def test_values_of_other_types_keep_their_meaning(
    postgres_dsn: str, connection: Connection
) -> None:
    names = (
        "verdict and criteria in other types", "points as JSON", "dates as text and as moments"
    )  # fmt: skip
    connection.execute("; ".join([AS_MADE + ROWS, *(VARIANTS[name] for name in names)]).encode())
    schema.upgrade(postgres_dsn)
    verdict = "SELECT is_effective, matched_criteria FROM call_details"
    assert found(connection, verdict) == [(True, "a, b")]
    points = "SELECT summary_points FROM recommendation_analysis"
    assert found(connection, points) == [(["Первый"],)]
    days = "SELECT DISTINCT metric_date FROM daily_summary_metrics ORDER BY 1"
    assert found(connection, days) == [(OLD_DAY,), (MONDAY,)]


def test_rows_of_equal_ids_get_ids_of_their_own(postgres_dsn: str, connection: Connection) -> None:
    connection.execute(
        f"{AS_MADE} {ROWS} {_D} DROP CONSTRAINT daily_summary_metrics_pkey;"
        "UPDATE daily_summary_metrics SET id = 3 WHERE id = 4".encode()
    )
    schema.upgrade(postgres_dsn)
    ids = found(connection, "SELECT id FROM daily_summary_metrics ORDER BY id")
    assert ids == [(2,), (3,), (5,)]


def test_a_view_of_a_column_that_has_to_change_is_named(
    postgres_dsn: str, connection: Connection
) -> None:
    variants = [VARIANTS[name] for name in ("short labels", "a board's own view")]
    connection.execute("; ".join([AS_MADE + ROWS, *variants]).encode())
    with pytest.raises(StoreError, match="own"):
        schema.upgrade(postgres_dsn)
    connection.execute("DROP VIEW own")
    schema.upgrade(postgres_dsn)


def test_a_user_who_does_not_own_the_tables_is_told(
    postgres_dsn: str, connection: Connection
) -> None:
    connection.execute((AS_MADE + ROWS).encode())
    connection.execute("CREATE ROLE adoption_guest LOGIN; GRANT ALL ON SCHEMA public TO PUBLIC")
    name = connection.info.dbname
    try:
        connection.execute(f'GRANT CREATE ON DATABASE "{name}" TO adoption_guest'.encode())
        with pytest.raises(StoreError, match="владельца"):
            schema.upgrade(psycopg.conninfo.make_conninfo(postgres_dsn, user="adoption_guest"))
    finally:
        connection.execute("DROP OWNED BY adoption_guest; DROP ROLE adoption_guest")
    assert len(found(connection, "SELECT 1 FROM daily_summary_metrics")) == 4, "all or nothing"
