# ruff: noqa: S608 - names of relations
"""The role of DataLens reads tables and views of the metrics, and is refused everything else."""

from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from tests.fixtures.metric_rows import MONDAY, daily, replace_day

from medai.bootstrap import Application
from medai.datalens.postgres_exporter import PostgresExporter
from medai.datalens.reader_role import make_reader
from medai.datalens.tables import BOARDS, METADATA
from medai.errors import ConflictError, InvalidInputError, StoreError
from medai.infra.postgres import Pool, dsn_of, open_pool

PASSWORD = "a long password of a test"
READABLE = sorted([*BOARDS, *(table.name for table in METADATA.sorted_tables)])
_ALL = """SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n
    ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'v', 'm', 'p', 'S')
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"""


@pytest.fixture
async def role(application: Application) -> Any:
    """A name of this test's database alone: roles belong to the whole server."""
    name = f"reader_{conninfo_to_dict(dsn_of(application.pool))['dbname']}"
    yield name
    async with application.pool.connection() as connection:
        found = await connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [name])
        if found.rowcount:
            await connection.execute(f"DROP OWNED BY {name}; DROP ROLE {name}".encode())


def connected(application: Application, role: str) -> psycopg.Connection[tuple[Any, ...]]:
    dsn = make_conninfo(dsn_of(application.pool), user=role, password=PASSWORD)
    return psycopg.connect(dsn, autocommit=True)


async def test_it_reads_the_metrics(application: Application, role: str) -> None:
    await make_reader(application.pool, role, PASSWORD)
    await replace_day(PostgresExporter(application.pool), "clinic", MONDAY, [daily()], [], [])
    with connected(application, role) as reader:
        for name in READABLE:
            reader.execute(f"SELECT * FROM {name}".encode())
        query = "SELECT total_calls, conversion_rate FROM board_administrators_weekly"
        assert reader.execute(query).fetchall() == [(2, daily().conversion_rate)]


async def test_it_is_refused_everything_else(application: Application, role: str) -> None:
    await make_reader(application.pool, role, PASSWORD)
    with connected(application, role) as reader:
        relations = reader.execute(_ALL.encode()).fetchall()
        assert {schema for schema, _ in relations} >= {"documents", "jobs", "infra", "public"}
        for schema, name in relations:
            allowed = schema == "public" and name in READABLE
            if not allowed:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    reader.execute(f'SELECT * FROM "{schema}"."{name}"'.encode())
        reader.execute("SET default_transaction_read_only = off")
        for statement in (
            "INSERT INTO daily_summary_metrics (metric_date, client_id) VALUES (now(), 'c')",
            "UPDATE daily_summary_metrics SET total_calls = 0",
            "DELETE FROM call_details",
            "TRUNCATE call_details",
            "UPDATE board_quota SET clinic_name = ''",
            "CREATE TABLE public.own (id INT)",
            "CREATE SCHEMA own",
            "CREATE ROLE another",
            "SELECT nextval('daily_summary_metrics_id_seq')",
            "COPY call_details TO PROGRAM 'true'",
            "SELECT pg_read_file('postgresql.conf')",
            "SELECT rolpassword FROM pg_authid",
            "CREATE TEMP TABLE own (id INT)",
            "SELECT lo_create(0)",
            "SELECT lo_creat(-1)",
            "SELECT lo_from_bytea(0, 'x')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(statement.encode())


async def test_tables_of_later_versions_are_readable(application: Application, role: str) -> None:
    await make_reader(application.pool, role, PASSWORD)
    async with application.pool.connection() as connection:
        await connection.execute("CREATE TABLE public.later_metrics (id INT)")
        await connection.execute("CREATE VIEW public.board_later AS SELECT * FROM later_metrics")
    with connected(application, role) as reader:
        reader.execute("SELECT * FROM later_metrics, board_later")


async def test_made_again_it_is_what_it_was(application: Application, role: str) -> None:
    await make_reader(application.pool, role, PASSWORD)
    async with application.pool.connection() as connection:
        for statement in (
            "GRANT USAGE ON SCHEMA documents TO {role}",
            "GRANT SELECT, DELETE ON documents.calls TO {role}",
            "GRANT UPDATE (total_calls) ON daily_summary_metrics TO {role}",
            "GRANT UPDATE ON SEQUENCE daily_summary_metrics_id_seq TO {role}",
            "GRANT pg_read_all_data TO {role}",
            "ALTER ROLE {role} CREATEDB",
            "REVOKE SELECT ON call_details FROM {role}",
        ):
            await connection.execute(statement.format(role=role).encode())
    await make_reader(application.pool, role, PASSWORD)
    await test_it_is_refused_everything_else(application, role)
    await test_it_reads_the_metrics(application, role)


async def test_the_password_is_sent_and_stored_as_a_verifier(
    application: Application, role: str
) -> None:
    pool, logged = await open_pool(dsn_of(application.pool), max_size=1), list[str]()
    async with pool.connection() as connection:
        connection.add_notice_handler(lambda notice: logged.append(notice.message_primary or ""))
        await connection.execute("SET log_statement = 'all'; SET client_min_messages = log")
    await make_reader(pool, role, PASSWORD)
    async with pool.connection() as connection:
        query = "SELECT rolpassword FROM pg_authid WHERE rolname = %s"
        row = await (await connection.execute(query, [role])).fetchone()
    await pool.close()
    assert row is not None
    assert row[0].startswith("SCRAM-SHA-256$")
    assert any("SCRAM-SHA-256$" in line for line in logged), "the server's log was not seen"
    assert PASSWORD not in "".join(logged)


async def test_a_role_of_others_is_left_alone(application: Application, role: str) -> None:
    async with application.pool.connection() as connection:
        await connection.execute(f"CREATE ROLE {role}".encode())
    with pytest.raises(ConflictError):
        await make_reader(application.pool, role, PASSWORD)
    with pytest.raises(ConflictError):
        await make_reader(application.pool, "medai", PASSWORD)


@pytest.mark.parametrize("name", ["postgres", "pg_read_all_data", "pg_own", "public", "none",
    "", "Anna", 'a"b', "a b", "a; DROP TABLE x", "я", "x" * 64])  # fmt: skip
async def test_a_bad_name_is_refused(pool: Pool, name: str) -> None:
    with pytest.raises(InvalidInputError):
        await make_reader(pool, name, PASSWORD)
    with pytest.raises(InvalidInputError):
        await make_reader(pool, "datalens", "short")


async def test_a_user_without_the_right_is_told(application: Application, role: str) -> None:
    guest = f"{role}_guest"
    async with application.pool.connection() as connection:
        await connection.execute(f"CREATE ROLE {guest} LOGIN".encode())
        try:
            pool = await open_pool(make_conninfo(dsn_of(application.pool), user=guest))
            with pytest.raises(StoreError, match="CREATEROLE"):
                await make_reader(pool, role, PASSWORD)
            await pool.close()
        finally:
            await connection.execute(f"DROP ROLE {guest}".encode())


async def test_what_our_user_may_not_forbid_is_told(application: Application, role: str) -> None:
    """A managed PostgreSQL gives CREATEROLE and the database, but no superuser."""
    owner = f"{role}_owner"
    name = conninfo_to_dict(dsn_of(application.pool))["dbname"]
    async with application.pool.connection() as connection:
        for statement in (
            f"CREATE ROLE {owner} LOGIN CREATEROLE",
            f"ALTER DATABASE {name} OWNER TO {owner}",
            f"ALTER SCHEMA public OWNER TO {owner}",
            *(f"ALTER TABLE {one} OWNER TO {owner}" for one in READABLE),
        ):
            await connection.execute(statement.encode())
        pool = await open_pool(make_conninfo(dsn_of(application.pool), user=owner))
        try:
            assert await make_reader(pool, role, PASSWORD) == ["большие объекты"]
            await replace_day(PostgresExporter(pool), "clinic", MONDAY, [daily()], [], [])
            with connected(application, role) as reader:
                reader.execute("SET default_transaction_read_only = off")
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    reader.execute("CREATE TEMP TABLE own (id INT)")
        finally:
            await pool.close()
            for statement in (
                f"REASSIGN OWNED BY {owner} TO medai",
                f"DROP OWNED BY {owner}",
                f"DROP ROLE {owner}",
            ):
                await connection.execute(statement.encode())
