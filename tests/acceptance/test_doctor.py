"""`medai doctor` on healthy, ill and dead installations; every provider is the sandbox."""

import asyncio
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.application import SECRET, settings_for
from tests.fixtures.clinic_at_work import ClinicAtWork
from tests.fixtures.command_line import CommandLine, command_line
from tests.fixtures.sandbox import RunningSandbox

from medai.bootstrap import open_application
from medai.calls.models import Step
from medai.cli.running import EXIT_CODES
from medai.datalens.days import ExportDays
from medai.doctor.examination import bounded, examine
from medai.doctor.findings import Finding, Level
from medai.errors import ProviderStoppedError
from medai.sandbox import credentials

NOWHERE = "http://127.0.0.1:9"


def levels(found: list[Finding]) -> dict[str, Level]:
    """The worst level of each check."""
    order = list(Level)
    worst: dict[str, Level] = {}
    for one in found:
        worst[one.check] = max(worst.get(one.check, Level.OK), one.level, key=order.index)
    return worst


async def examined(clinic: ClinicAtWork, **changes: Any) -> list[Finding]:
    settings = clinic.app.settings.model_copy(update=changes)
    return [one async for one in examine(settings, clock=clinic.clock)]


async def test_a_healthy_installation(at_work: ClinicAtWork) -> None:
    found = levels(await examined(at_work))
    asked = {"elevenlabs", "openai", "telegram", "amocrm", "proxy", "files", "documents",
             "postgres", "postgres_sessions", "postgres_connections", "reports", "data_folder",
             "quotas", "stops", "held", "workers", "exports", "postgres_tables"}  # fmt: skip
    assert asked <= found.keys()
    # The tests' clock is not that of PostgreSQL, and nobody works here.
    ill = {name for name, level in found.items() if level is not Level.OK}
    assert ill <= {"settings", "postgres_clock", "clock", "workers"}


async def test_nothing_is_paid_written_or_changed(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    before = (await at_work.documents(), at_work.sandbox.control.bill())
    await examined(at_work)
    after = (await at_work.documents(), at_work.sandbox.control.bill())
    paid = ("stt_paid", "llm_requests", "notes")
    assert after[0] == before[0]
    assert [after[1][name] for name in paid] == [before[1][name] for name in paid]


async def test_wrong_keys_are_told_and_never_shown(at_work: ClinicAtWork) -> None:
    wrong = settings_for(
        at_work.sandbox.url, at_work.app.settings.postgres_dsn.get_secret_value(),
        at_work.app.settings.data_dir, evenlabs="wrong-elevenlabs-key",
        openai="wrong-openai-key", bot_token="42:wrong-token", amocrm_requests_per_second=0,
    )  # fmt: skip
    found = [one async for one in examine(wrong)]
    worst = levels(found)
    for name in ("elevenlabs", "openai", "telegram"):
        assert worst[name] is Level.PROBLEM, name
    assert worst["amocrm"] is Level.OK
    assert worst["clock"] is not Level.PROBLEM
    text = " ".join(one.message for one in found)
    for secret in ("wrong-", SECRET):
        assert secret not in text


async def test_a_model_that_the_key_may_not_use(at_work: ClinicAtWork) -> None:
    assert levels(await examined(at_work, openai_model="gpt-77"))["openai"] is Level.PROBLEM
    dying = await examined(at_work, openai_model="gpt-5-mini")  # shut down 2026-12-11
    (one,) = [one for one in dying if one.check == "openai"]
    assert (one.level, "11.12.2026" in one.message) == (Level.WARNING, True)


async def test_stops_and_spent_minutes_are_told(at_work: ClinicAtWork) -> None:
    error = ProviderStoppedError("elevenlabs", "Кредиты кончились: пополните счёт")
    await at_work.app.stops.stand_still("elevenlabs", at_work.client_id, error)
    await at_work.app.limit_changes.set(at_work.client_id, monthly_seconds=0, weekly_seconds=0)
    found = levels(await examined(at_work))
    assert (found["stops"], found["quotas"]) == (Level.PROBLEM, Level.PROBLEM)


async def test_lost_answers_are_told(cautious: ClinicAtWork) -> None:
    await cautious.sync()
    await cautious.wanted(1000004)
    await cautious.run(1000004, Step.RECORDING)
    cautious.sandbox.control.fail("elevenlabs", "reset_after_commit")
    await cautious.run(1000004, Step.TRANSCRIPTION)
    assert levels(await examined(cautious))["held"] is Level.WARNING


async def test_a_clinic_whose_crm_refuses_is_named(at_work: ClinicAtWork) -> None:
    at_work.sandbox.control.fail("amocrm", "payment_required", times=9)
    found = [one for one in await examined(at_work) if one.check == "amocrm"]
    name = (await at_work.clinic()).name
    assert [(one.level, name in one.message) for one in found] == [(Level.PROBLEM, True)]


async def test_tables_of_an_earlier_version_are_told(
    sandbox: RunningSandbox, postgres_dsn: str, tmp_path: Path
) -> None:
    settings = settings_for(sandbox.url, postgres_dsn, tmp_path)
    async with open_application(settings) as app, app.pool.connection() as connection:
        await connection.execute("UPDATE infra.datalens_version SET version_num = '0000'")
        await connection.execute("DROP TABLE documents.runs")
    found = [one async for one in examine(settings, ask_providers=False)]
    told = {one.check: one.message for one in found if one.level is Level.WARNING}
    assert "DataLens" in told["postgres_tables"]
    assert ": runs;" in told["documents"]


async def test_a_server_without_a_list_of_models_is_no_problem(at_work: ClinicAtWork) -> None:
    at_work.sandbox.control.fail("openai", "server_error", status=404, match="/models")
    assert levels(await examined(at_work))["openai"] is Level.WARNING


async def test_without_postgres_everything_else_is_examined(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    dsn = "host=127.0.0.1 port=9 user=nobody dbname=none password=hidden-password"
    settings = settings_for(sandbox.url, dsn, tmp_path)
    found = [one async for one in examine(settings)]
    worst = levels(found)
    assert worst["postgres"] is Level.PROBLEM
    assert worst["work"] is worst["amocrm"] is Level.WARNING
    assert worst["files"] is worst["elevenlabs"] is worst["openai"] is Level.OK
    assert "hidden-password" not in " ".join(one.message for one in found)


async def test_without_providers_nobody_outside_is_asked(
    sandbox: RunningSandbox, postgres_dsn: str, tmp_path: Path
) -> None:
    settings = settings_for(NOWHERE, postgres_dsn, tmp_path)
    found = levels([one async for one in examine(settings, ask_providers=False)])
    assert found["postgres"] is Level.OK
    assert found["postgres_tables"] is Level.WARNING  # nothing was created
    assert not {"elevenlabs", "openai", "amocrm", "telegram"} & found.keys()


async def test_one_check_that_breaks_or_hangs_stops_nothing() -> None:
    async def broken() -> list[Finding]:
        raise ZeroDivisionError

    async def endless() -> list[Finding]:
        await asyncio.Event().wait()
        return []

    for check in (broken, endless):
        (found,) = await bounded("x", check, seconds=0.01)
        assert (found.check, found.level) == ("x", Level.PROBLEM)


@pytest.fixture
def shell(sandbox: RunningSandbox, prepared_dsn: str, tmp_path: Path) -> CommandLine:
    sandbox.control.advance_clock(0)
    return command_line(sandbox.url, prepared_dsn, tmp_path)


async def test_the_command_for_people_and_programs(shell: CommandLine) -> None:
    telegram = shell.settings["OPENAI_BASE_URL"].replace("/openai/v1", "/telegram")
    told = await shell.run(
        "doctor", BOT_TOKEN=credentials.BOT_TOKEN, TELEGRAM_API_BASE_URL=telegram
    )
    assert (told.code, told.err) == (0, ""), told.out
    assert "PostgreSQL" in told.out
    assert len(told.out.splitlines()) > 12
    (shell.folder / ".env").write_text("OPENAI_MODLE=x\nexport MEDAI_PROT = hidden-value\n")
    ill = await shell.run("doctor", "--json", "--no-providers", EVENLABS="")
    report = json.loads(ill.out)
    assert "OPENAI_MODLE не читается: возможно, это OPENAI_MODEL" in ill.out
    assert "MEDAI_PROT не читается: возможно, это MEDAI_PORT" in ill.out
    assert "hidden-value" not in ill.out
    assert (ill.code, report["healthy"]) == (EXIT_CODES["unhealthy"], False)
    assert {"check", "level", "message"} == report["findings"][0].keys()


async def test_settings_that_cannot_be_read_are_a_finding(shell: CommandLine) -> None:
    told = await shell.run("doctor", "--no-providers", MEDAI_PORT="нет")
    assert told.code == EXIT_CODES["unhealthy"]
    assert "MEDAI_PORT" in told.out


async def test_changed_tables_and_days_that_wait_are_told(at_work: ClinicAtWork) -> None:
    app = at_work.app
    long_ago = ExportDays(app.documents, lambda: at_work.clock() - timedelta(days=2))
    await long_ago.touch(at_work.client_id, date(2026, 3, 2))
    async with app.pool.connection() as connection:
        await connection.execute("ALTER TABLE daily_summary_metrics DROP COLUMN fg_percent")
        await connection.execute("DROP VIEW board_quota")
    told = {one.check: one for one in await examined(at_work)}
    assert told["postgres_tables"].level is Level.PROBLEM
    assert ": daily_summary_metrics, board_quota;" in told["postgres_tables"].message
    assert told["exports"].level is Level.WARNING
    assert "больше суток: 1, самый ранний 02.03.2026" in told["exports"].message
