"""`medai export` and `medai db reader` as processes: exit codes, and what a person is told."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from tests.fixtures.command_line import CommandLine, command_line
from tests.fixtures.report_calls import many_calls

from medai.calls.models import Audio, Call, Stage
from medai.calls.repository import CallRepository
from medai.cli.running import EXIT_CODES
from medai.clinics.models import Clinic
from medai.clinics.repository import ClinicRepository
from medai.infra.postgres import open_pool
from medai.infra.postgres_documents import PostgresDocuments
from medai.kit.clock import utc_now

NOWHERE = "http://127.0.0.1:9"
TOO_LONG_SECONDS = 2**40
ROLE = "reader_of_commands"
_AUDIO = Audio(
    file="a.mp3", sha256="0" * 64, seconds=60, channels=1, distinct_channels=False, codec="mp3",
    size_bytes=1,
)  # fmt: skip


@pytest.fixture
def medai(postgres_dsn: str, tmp_path: Path) -> CommandLine:
    return command_line(NOWHERE, postgres_dsn, tmp_path)


@pytest.fixture
async def documents(medai: CommandLine, postgres_dsn: str) -> AsyncIterator[PostgresDocuments]:
    """An installation whose tables exist."""
    assert (await medai.run("db", "upgrade")).code == 0
    pool = await open_pool(postgres_dsn)
    yield PostgresDocuments(pool)
    await pool.close()


@pytest.fixture
def repository(documents: PostgresDocuments) -> CallRepository:
    return CallRepository(documents)


async def clinic_of(call: Call, documents: PostgresDocuments) -> None:
    now = utc_now()
    clinic = Clinic(
        id="1", client_id=call.client_id, name="Ромашка", created_at=now, updated_at=now
    )
    await ClinicRepository(documents, utc_now).insert(clinic)


async def stored(repository: CallRepository) -> list[Call]:
    done = {"stage": Stage.ANALYSED, "audio": _AUDIO}
    calls = [call.model_copy(update=done) for call in many_calls(30, seed=3)]
    await repository.insert_many(calls)
    return calls


def rows(dsn: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query.encode()).fetchall()


async def test_a_day_that_cannot_be_written_ends_the_command_with_its_code(
    medai: CommandLine, repository: CallRepository, postgres_dsn: str
) -> None:
    calls = await stored(repository)
    broken = calls[0]
    days = {call.business_day for call in calls}
    await repository.change(broken.id, {"duration_seconds": TOO_LONG_SECONDS})

    failed = await medai.run("export")

    assert failed.code == EXIT_CODES["metrics_export"] == 18
    *log, told = failed.err.splitlines()
    assert told.startswith("Ошибка: ")
    assert f"{broken.business_day:%d.%m.%Y}" in told
    assert str(TOO_LONG_SECONDS) not in failed.err, "values of calls are nobody's business"
    assert len(log) == 1, "the reason, for whoever mends it"
    written = rows(postgres_dsn, "SELECT DISTINCT metric_date FROM call_funnel_metrics")
    assert {row[0] for row in written} == days - {broken.business_day}

    await repository.change(broken.id, {"duration_seconds": 60})
    mended, again = await medai.run("export"), await medai.run("export")

    assert (mended.code, mended.err) == (0, "")
    written = rows(postgres_dsn, "SELECT DISTINCT metric_date FROM call_funnel_metrics")
    assert {row[0] for row in written} == days
    assert again.out.splitlines() == ["изменений нет"]


async def test_a_damaged_document_is_named_in_one_line(
    medai: CommandLine, documents: PostgresDocuments, repository: CallRepository
) -> None:
    damaged, *_ = await stored(repository)
    await clinic_of(damaged, documents)
    await repository.change(damaged.id, {"duration_seconds": "долго"})
    day = damaged.business_day.isoformat()

    report, export = await medai.run("report", "--from", day), await medai.run("export")

    assert report.code == EXIT_CODES["stored_data"] == 19
    assert damaged.id in report.one_line()
    assert "duration_seconds" in report.one_line()
    assert "долго" not in report.err + export.err
    assert export.code == EXIT_CODES["metrics_export"]
    assert damaged.id in export.err


async def test_the_reader_of_the_command_reads_and_writes_nothing(
    medai: CommandLine, repository: CallRepository, postgres_dsn: str
) -> None:
    await stored(repository)
    await medai.run("export")

    made = await medai.run("db", "reader", "--role", ROLE)

    assert (made.code, made.err) == (0, "")
    (password,) = re.findall(r"^пароль (\S+)$", made.out, re.MULTILINE)
    assert f"база {conninfo_to_dict(postgres_dsn)['dbname']}" in made.out
    try:
        as_reader = make_conninfo(postgres_dsn, user=ROLE, password=password)
        assert rows(as_reader, "SELECT count(*) > 0 FROM board_funnel") == [(True,)]
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            rows(as_reader, "DELETE FROM call_details RETURNING 1")
        named = await medai.run("db", "reader", "--role", ROLE, DATALENS_READER_PASSWORD="короткий")
        assert named.code == EXIT_CODES["invalid_input"]
        assert "короткий" not in named.err
    finally:
        with psycopg.connect(postgres_dsn, autocommit=True) as owner:
            owner.execute(f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}".encode())


async def test_the_reader_of_an_embedded_database_is_given_no_address(
    medai: CommandLine, short_dir: Path
) -> None:
    """Nobody listens there when the command has ended."""
    alone = {"POSTGRES_DSN": "", "MEDAI_DATA_DIR": str(short_dir / "alone")}
    made = await medai.run("db", "reader", **alone)
    assert (made.code, made.err) == (0, "")
    assert "POSTGRES_HOST" in made.out
    assert "хост" not in made.out
    refused = await medai.run("db", "reader", "--role", "postgres", **alone)
    assert refused.code == EXIT_CODES["invalid_input"]
