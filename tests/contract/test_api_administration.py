"""The speech account, log files and the export as old clients ask for them (contract 1.5)."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.fixtures.application import settings_for
from tests.fixtures.clinic_at_work import ClinicAtWork
from tests.fixtures.key_holder import key_holder
from tests.fixtures.sandbox import RunningSandbox
from tests.fixtures.service import Doors, doors_of

from medai.bootstrap import open_application
from medai.datalens.days import ExportDays
from medai.infra.log_files import LARGEST_BYTES, LogFiles
from medai.kit.days import parse_day
from medai.worker.tasks import register

BALANCE = "/api/admin/elevenlabs-balance"
SYNC = "/api/admin/elevenlabs/sync"


@pytest.fixture
async def doors(at_work: ClinicAtWork) -> AsyncIterator[Doors]:
    async with doors_of(at_work.app) as opened:
        yield opened


async def test_get_elevenlabs_balance(doors: Doors) -> None:
    answer = await doors.owner.get(BALANCE)
    assert answer.status_code == 200
    body = answer.json()
    # What the provider says, as it says it.
    assert (body["tier"], body["character_count"], body["status"]) == ("starter", 1200, "active")
    assert (body["currency"], body["open_invoices"], body["next_invoice"]) == ("usd", [], None)
    assert body["next_character_count_reset_unix"] == 1796083200
    assert (body["character_limit"], body["plan_character_limit"]) == (500000, 40000)
    assert body["tokens_remaining"] == 500000 - 1200
    assert body["minutes_remaining"] == round(18000 * (500000 - 1200) / 500000, 2)


async def test_post_elevenlabs_sync(doors: Doors, at_work: ClinicAtWork) -> None:
    answer = await doors.owner.post(SYNC)
    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "tier": "starter",
        "character_count": 1200,
        "character_limit": 40000,
        "remaining": 38800,
        "usage_percent": 3.0,
        "synced_at": at_work.clock().isoformat().replace("+00:00", "Z"),
    }


async def test_the_provider_refuses_or_is_down(doors: Doors, at_work: ClinicAtWork) -> None:
    control = at_work.sandbox.control
    for kind, status in (
        ("server_error", 503), ("gateway_html", 503), ("reset", 503), ("rate_limit_json", 503),
        ("reset_after_commit", 503), ("bad_key", 502), ("invalid_json", 502), ("html_ok", 502),
    ):  # fmt: skip
        control.fail("elevenlabs", kind)
        answer = await doors.owner.get(BALANCE)
        assert answer.status_code == status, kind
        assert answer.json()["detail"]
        assert "оплачен" not in answer.text


async def test_without_a_speech_key(
    sandbox: RunningSandbox, prepared_dsn: str, tmp_path: Path
) -> None:
    settings = settings_for(sandbox.url, prepared_dsn, tmp_path, evenlabs="")
    async with open_application(settings) as application, doors_of(application) as doors:
        for answer in (await doors.owner.get(BALANCE), await doors.owner.post(SYNC)):
            assert (answer.status_code, answer.json()["code"]) == (503, "settings")
            assert "EVENLABS" in answer.json()["detail"]


async def test_get_admin_logs(doors: Doors, at_work: ClinicAtWork) -> None:
    assert (await doors.owner.get("/api/admin/logs")).json() == {"logs": []}
    files = at_work.app.log_files
    files.write("report_20261119_180000.json", '{"ошибок": 0}')
    files.write("report_20261120_180000.json", "{}")
    names = ["report_20261120_180000.json", "report_20261119_180000.json"]
    assert (await doors.owner.get("/api/admin/logs")).json() == {"logs": names}
    answer = await doors.owner.get(f"/api/admin/logs/{names[1]}")
    assert (answer.status_code, answer.text) == (200, '{"ошибок": 0}')
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_log_files_stay_in_their_folder(doors: Doors, at_work: ClinicAtWork) -> None:
    folder = at_work.app.settings.data_dir
    secret = folder / "secret.txt"
    at_work.app.log_files.write("a.log", "x")
    secret.write_text("secret", encoding="utf-8")
    (folder / "logs" / "link.log").symlink_to(secret)
    (folder / "logs" / "folder.log").mkdir()
    (folder / "logs" / ".hidden").write_text("secret", encoding="utf-8")
    assert (await doors.owner.get("/api/admin/logs")).json() == {"logs": ["a.log"]}
    for name in (
        "../secret.txt", "..%2Fsecret.txt", "%2e%2e%2fsecret.txt", "..%5Csecret.txt", "link.log",
        "folder.log", ".hidden", "..", "%00", "a.log%00", "нет.log", "a" * 200,
    ):  # fmt: skip
        answer = await doors.owner.get(f"/api/admin/logs/{name}")
        assert answer.status_code == 404, name
        assert "secret" not in answer.text
    assert (await doors.owner.get(f"/api/admin/logs/{'a' * 201}")).status_code == 422


async def test_of_a_long_log_the_end_is_shown(tmp_path: Path) -> None:
    files = LogFiles(tmp_path)
    path = files.write("long.log", "начало")
    with path.open("ab") as file:
        os.truncate(file.fileno(), LARGEST_BYTES * 3)
        file.seek(0, os.SEEK_END)
        file.write("конец".encode())
    text = await files.read("long.log")
    assert len(text.encode()) == LARGEST_BYTES
    assert text.endswith("конец")


async def test_post_postgres_sync_now(doors: Doors, at_work: ClinicAtWork) -> None:
    answer = await doors.owner.post("/api/postgres/sync-now")
    assert answer.status_code == 200
    assert answer.json().keys() == {"success", "message", "output"}
    assert answer.json()["output"] == "minute_quota_metrics: 2"
    answer = await doors.owner.post("/api/postgres/sync-now")
    assert answer.json()["output"] == "изменений нет"
    assert len(answer.json()["output"]) <= 1000


async def test_post_restart_exporter(doors: Doors, at_work: ClinicAtWork) -> None:
    days = ExportDays(at_work.app.documents)
    await days.touch(at_work.client_id, parse_day("2026-11-19"))
    (due,) = [one async for one in days.due(None)]
    await days.exported([due])
    answer = await doors.owner.post("/api/postgres/restart-exporter")
    assert answer.status_code == 200
    assert answer.json().keys() >= {"success", "message"}
    assert answer.json()["days"] == 1
    (again,) = [one async for one in days.due(None)]
    assert again.version == due.version + 1
    # Twice is once; a worker of any process carries it out.
    assert (await doors.owner.post("/api/postgres/restart-exporter")).json()["days"] == 0
    assert len(await at_work.jobs("export_clinic")) == 1
    await register(at_work.app).run_worker_async(wait=False, install_signal_handlers=False)
    assert [one async for one in days.due(None)] == []


async def test_a_key_of_one_clinic_opens_nothing_of_the_installation(
    doors: Doors, at_work: ClinicAtWork
) -> None:
    async with key_holder(doors, client_ids=[at_work.client_id], may_write=True) as holder:
        answers = [
            await holder.get(BALANCE),
            await holder.post(SYNC),
            await holder.get("/api/admin/logs"),
            await holder.get("/api/admin/logs/a.log"),
            await holder.post("/api/postgres/sync-now"),
            await holder.post("/api/postgres/restart-exporter"),
        ]
    assert [answer.status_code for answer in answers] == [403] * len(answers)
