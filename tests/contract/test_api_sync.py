"""Contract 1.1 and process-data of 1.5: requests as old clients send them, bodies key by key."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.fixtures.application import settings_for
from tests.fixtures.clinic_at_work import EVENING, ClinicAtWork, opened_clinic
from tests.fixtures.sandbox import RunningSandbox
from tests.fixtures.service import Doors, Json, doors_of, working
from tests.fixtures.shapes import shaped

from medai.bootstrap import Application, open_application
from medai.cli.demo.scenario import connect
from medai.processing.ports import Queue
from medai.processing.runs import Run, RunKind
from medai.worker.runner import run_workers

RU, ISO = "19.11.2026", "2026-11-19"
EXPORT = "/api/calls-events/export"
RESULTS = "/api/calls-events/export-results"
BULK = "/api/calls-parallel-bulk/sync-by-date"
RANGE = "/api/calls-parallel-bulk/sync-by-date-range"
AGAIN = "/api/calls-parallel/sync-by-date"
PLAIN = "/api/calls/sync-by-date"

STARTED = {
    "success": True, "message": str, "total_found": 0, "tasks_queued": 1,
    "duration_seconds": float, "detailed_mode": True, "max_calls_limit": 5000, "note": str,
}  # fmt: skip
NOTHING = {
    "success": True, "message": str, "total_found": 0, "tasks_queued": 0,
    "duration_seconds": float,
}  # fmt: skip
STATISTICS = {
    "client_id": str, "start_date": str, "end_date": str, "total_found": int,
    "total_processed": int, "saved_to_db": int, "filtered_zero_duration": int,
    "filtered_short_calls": int, "filtered_duplicates": int, "processing_errors": int,
    "created_at": str,
}  # fmt: skip
PLAIN_DATA = {
    "date": str, "client_id": str, "leads_processed": int, "calls_saved": int,
    "leads_with_calls": int,
}  # fmt: skip
BULK_DATA = {**PLAIN_DATA, "errors": int, "execution_time": float, "parallel_tasks": int}
KNOWN = {
    "message": str, "total_calls_saved": 0, "total_leads_with_calls": 0,
    "total_leads_processed": 0, "total_execution_time_seconds": float,
}  # fmt: skip
SUMMARY = {
    "total_days_processed_or_skipped": int, "total_calls_saved": int,
    "total_leads_processed": int, "total_leads_with_calls": int, "total_errors_in_days": int,
    "total_execution_time_seconds": float,
}  # fmt: skip
DAY_OF_RANGE = {
    "date": str, "status": str, "leads_processed": int, "calls_saved": int,
    "leads_with_calls": int, "errors": int, "execution_time_seconds": float,
}  # fmt: skip


@pytest.fixture
async def doors(at_work: ClinicAtWork) -> AsyncIterator[Doors]:
    """The API of one clinic; no worker is running."""
    async with doors_of(at_work.app) as opened:
        yield opened


def order(at_work: ClinicAtWork, **changes: Any) -> Json:
    """The export as the cron script asks for it."""
    return {"client_id": at_work.client_id, "start_date": RU, "end_date": RU, **changes}


def results_query(at_work: ClinicAtWork) -> Json:
    return order(at_work)


async def second_clinic(at_work: ClinicAtWork) -> Json:
    """Another clinic of the installation, whose CRM refuses no pace."""
    other: Json = at_work.sandbox.control.clinics()[1]
    at_work.sandbox.control.post(
        f"/amocrm/{other['subdomain']}/options",
        requests_per_second=None, account_requests_per_second=None,
    )  # fmt: skip
    await connect(at_work.app, other)
    return other


def truth_of(at_work: ClinicAtWork) -> Json:
    found: Json = at_work.sandbox.control.truth()["clinics"][at_work.client_id]
    return found


def body_of(answer: httpx2.Response, status: int = 200) -> Json:
    assert answer.status_code == status, answer.text
    found: Json = answer.json()
    return found


@asynccontextmanager
async def one_sync_at_a_time(application: Application) -> AsyncIterator[None]:
    task = asyncio.create_task(run_workers(application, {Queue.SYNC: 1}))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def ended(application: Application, *run_ids: str) -> None:
    async with asyncio.timeout(60):
        while True:
            runs = [await application.runs.require(run_id) for run_id in run_ids]
            if all(run.state != "running" for run in runs):
                return
            await asyncio.sleep(0.05)


async def begun(application: Application) -> Run:
    """The first run, as soon as there is one."""
    async with asyncio.timeout(20):
        while True:
            if found := await application.runs.newest(None, 5):
                return found[-1]
            await asyncio.sleep(0.01)


# POST calls-events/export, GET and DELETE calls-events/export-results


async def test_export_answers_at_once_with_every_field_accepted(
    at_work: ClinicAtWork, doors: Doors
) -> None:
    fields = {
        "max_pages": 7, "detailed": False, "max_calls": 10, "concurrency": 20,
        "filter_zero_duration": False,
    }  # fmt: skip
    plain = body_of(await doors.owner.post(EXPORT, json=order(at_work)))
    full = body_of(await doors.owner.post(EXPORT, json=order(at_work, **fields)))
    shaped(plain, STARTED)
    shaped(full, {**STARTED, "detailed_mode": False, "max_calls_limit": 10})
    # Nothing was asked of the CRM: the work is queued and outlives this process.
    assert len(await at_work.jobs("sync_clinic")) == 2


async def test_without_dates_it_is_the_clinics_today(at_work: ClinicAtWork, doors: Doors) -> None:
    at_work.clock.pass_time(timedelta(hours=1))  # 00:30 in Moscow, still the 19th in UTC
    started = body_of(await doors.owner.post(EXPORT, json={"client_id": at_work.client_id}))
    assert (started["start_date"], started["end_date"]) == ("2026-11-20", "2026-11-20")
    one = body_of(
        await doors.owner.post(EXPORT, json={"client_id": at_work.client_id, "end_date": RU})
    )
    assert (one["start_date"], one["end_date"]) == (RU, RU)


async def test_days_that_have_not_come_have_no_calls(at_work: ClinicAtWork, doors: Doors) -> None:
    body = body_of(
        await doors.owner.post(
            EXPORT, json=order(at_work, start_date="21.11.2026", end_date="22.11.2026")
        )
    )
    shaped(body, NOTHING)
    assert not {"detailed_mode", "max_calls_limit", "note"} & body.keys()


async def test_what_cannot_start_is_told_with_status_200(
    at_work: ClinicAtWork, doors: Doors
) -> None:
    refusal = {"success": False, "message": str, "data": None}
    for changes in ({"start_date": "завтра"}, {"start_date": "20.11.2026"}):
        shaped(body_of(await doors.owner.post(EXPORT, json=order(at_work, **changes))), refusal)
    await at_work.app.documents.delete(_tokens(), {"client_id": at_work.client_id})
    body = body_of(await doors.owner.post(EXPORT, json=order(at_work)))
    shaped(body, refusal)
    assert "не подключена" in body["message"]
    assert await at_work.app.runs.newest(None, 10) == []


def _tokens() -> Any:
    from medai.crm.tokens import TOKENS

    return TOKENS


async def test_results_are_those_of_the_newest_run_and_404_until_it_has_ended(
    at_work: ClinicAtWork, doors: Doors
) -> None:
    truth, query = truth_of(at_work), results_query(at_work)
    saved = []
    for _ in range(2):
        at_work.clock.pass_time(timedelta(seconds=1))
        started = body_of(await doors.owner.post(EXPORT, json=order(at_work)))
        # The second time there is a result of the first run, and it is not this run's.
        assert (await doors.owner.get(RESULTS, params=query)).status_code == 404
        await at_work.app.phases.sync(started["run_id"])
        body = body_of(await doors.owner.get(RESULTS, params=query))
        shaped(body, {"success": True, "message": str, "statistics": STATISTICS})
        assert datetime.fromisoformat(body["statistics"]["created_at"]).tzinfo
        assert body["statistics"]["total_found"] == truth["calls_found"]
        saved.append(body["statistics"]["saved_to_db"])
    assert saved == [truth["calls_stored"], 0]
    # Raw texts: the same day in another form is another export.
    other = {**query, "start_date": ISO}
    assert (await doors.owner.get(RESULTS, params=other)).status_code == 404


async def test_calls_stored_by_a_killed_attempt_count_as_saved(
    at_work: ClinicAtWork, doors: Doors
) -> None:
    started = body_of(await doors.owner.post(EXPORT, json=order(at_work)))
    await at_work.sync()  # what the attempt did before it was killed
    await at_work.app.phases.sync(started["run_id"])
    body = body_of(await doors.owner.get(RESULTS, params=results_query(at_work)))
    assert body["statistics"]["saved_to_db"] == truth_of(at_work)["calls_stored"]


async def test_a_failed_run_is_told_in_the_results(at_work: ClinicAtWork, doors: Doors) -> None:
    started = body_of(await doors.owner.post(EXPORT, json=order(at_work)))
    await at_work.app.runs.fail(started["run_id"], "amoCRM не отвечает: повторите позже")
    body = body_of(await doors.owner.get(RESULTS, params=results_query(at_work)))
    shaped(body, {"success": False, "message": str, "statistics": STATISTICS})
    assert body["message"].startswith("amoCRM не отвечает")


async def test_deleting_results_never_deletes_calls(at_work: ClinicAtWork, doors: Doors) -> None:
    query = {"client_id": at_work.client_id}
    for _ in range(2):
        run_id = await at_work.app.asked.sync(at_work.client_id, RU, RU)
        await at_work.app.phases.sync(run_id)
    going = await at_work.app.asked.sync(at_work.client_id, RU, RU)
    before = await at_work.documents()
    body = body_of(await doors.owner.delete(RESULTS, params=query))
    shaped(body, {"success": True, "message": str, "deleted_count": 2, "count_before": 2})
    assert await at_work.documents() == before != []
    assert [run.id for run in await at_work.app.runs.newest(None, 10)] == [going]
    again = body_of(await doors.owner.delete(RESULTS, params=query))
    shaped(again, {"deleted_count": 0, "count_before": 0})


async def test_export_status_shows_what_is_stored(at_work: ClinicAtWork, doors: Doors) -> None:
    await at_work.sync()
    truth = truth_of(at_work)
    query = {"client_id": at_work.client_id, "date": RU}
    body = body_of(await doors.owner.get("/api/calls-events/export-status", params=query))
    sample = {
        "event_id": (str, None), "phone": str, "duration": int, "call_direction": str,
        "recorded_at": str, "has_call_link": bool,
    }  # fmt: skip
    counts = {
        "total_calls_found": truth["calls_found"],
        "normal_calls": truth["calls_stored"],
        "short_calls": sum(truth["calls_skipped"][name] for name in ("short", "zero_duration")),
        "sample_size": 5,
    }
    shaped(
        body,
        {
            "success": True, "message": str, "client_id": at_work.client_id, "date": RU,
            "date_filter": ISO, "statistics": counts, "recent_calls_sample": [sample], "note": str,
        },
    )  # fmt: skip
    shown = body["recent_calls_sample"]
    assert len(shown) == 5
    assert [one["recorded_at"] for one in shown] == sorted(
        [one["recorded_at"] for one in shown], reverse=True
    )


# POST calls-parallel-bulk/sync-by-date, calls-parallel/sync-by-date, calls/sync-by-date


async def test_a_bulk_day_waits_for_its_calls_and_then_knows_them(
    at_work: ClinicAtWork, doors: Doors
) -> None:
    truth, query = truth_of(at_work), {"client_id": at_work.client_id, "date": "2026.11.19"}
    async with working(at_work.app):
        body = body_of(await doors.owner.post(BULK, params={**query, "concurrency": 7}))
        shaped(body, {"success": True, "message": str, "data": BULK_DATA})
        data = body["data"]
        assert (data["date"], data["client_id"]) == ("2026.11.19", at_work.client_id)
        assert (data["calls_saved"], data["parallel_tasks"]) == (truth["calls_stored"], 7)
        kept = [one for one in await at_work.documents() if one["skip_reason"] is None]
        leads = {one["lead_id"] for one in kept} - {None}
        assert data["leads_with_calls"] == len(leads) > 0
        assert data["leads_processed"] >= data["leads_with_calls"]

        known = body_of(await doors.owner.post(BULK, params=query))
        shaped(known, KNOWN)
        assert "success" not in known
        assert f"Синхронизация для даты {ISO} уже была выполнена ранее." in known["message"]
        # The day is not over: its later calls come in the background.
        await ended(at_work.app, known["run_id"])
    at_work.clock.pass_time(timedelta(days=5))
    assert body_of(await doors.owner.post(BULK, params=query))["run_id"] is None


@pytest.mark.parametrize(("path", "data"), [(AGAIN, BULK_DATA), (PLAIN, PLAIN_DATA)])
async def test_the_older_paths_read_a_stored_day_again(
    at_work: ClinicAtWork, doors: Doors, path: str, data: Json
) -> None:
    await at_work.sync()
    at_work.clock.pass_time(timedelta(seconds=1))
    query = {"client_id": at_work.client_id, "date": "19-11-2026"}
    async with working(at_work.app):
        body = body_of(await doors.owner.post(path, params=query))
    shaped(body, {"success": True, "message": str, "data": data})
    assert body["data"].keys() == data.keys()
    assert body["data"]["calls_saved"] == 0
    assert body["data"]["leads_with_calls"] > 0


async def test_without_a_clinic_it_is_the_one_with_the_newest_token(
    at_work: ClinicAtWork, doors: Doors
) -> None:
    at_work.clock.pass_time(timedelta(seconds=1))
    other = await second_clinic(at_work)
    async with working(at_work.app):
        body = body_of(await doors.owner.post(BULK, params={"date": "10.11.2026"}))
        shaped(body, {"success": True, "data": {**BULK_DATA, "client_id": other["client_id"]}})
        # A key of one clinic stands for it.
        made = body_of(
            await doors.owner.post(
                "/api/admin/keys",
                json={"name": "бот", "client_ids": [at_work.client_id], "may_write": True},
            ),
            201,
        )
        key = {"X-API-Key": made["key"]}
        own = body_of(await doors.stranger.post(BULK, params={"date": "10.11.2026"}, headers=key))
        assert own["data"]["client_id"] == at_work.client_id
        foreign = {"date": RU, "client_id": other["client_id"]}
        for path in (BULK, AGAIN, PLAIN):
            answer = await doors.stranger.post(path, params=foreign, headers=key)
            assert answer.status_code == 404


# POST calls-parallel-bulk/sync-by-date-range


async def test_a_range_tells_of_every_day(at_work: ClinicAtWork, doors: Doors) -> None:
    await at_work.sync()
    at_work.clock.pass_time(timedelta(days=4, hours=1))  # the 19th is over for long
    query: Json = {
        "client_id": at_work.client_id, "start_date_str": "17.11.2026",
        "end_date_str": "2026-11-20", "concurrency": 5, "force_sync": "false",
    }  # fmt: skip
    async with working(at_work.app):
        body = body_of(await doors.owner.post(RANGE, params=query, json={}))
    shaped(
        body,
        {
            "success": True, "message": str, "client_id": at_work.client_id,
            "date_range": {"start_date": "17.11.2026", "end_date": "2026-11-20"},
            "overall_summary": SUMMARY, "daily_breakdown": [DAY_OF_RANGE],
        },
    )  # fmt: skip
    days = body["daily_breakdown"]
    assert [(day["date"], day["status"]) for day in days] == [
        ("2026-11-17", "completed_no_leads"), ("2026-11-18", "completed"),
        ("2026-11-19", "skipped"), ("2026-11-20", "completed"),
    ]  # fmt: skip
    assert body["overall_summary"]["total_days_processed_or_skipped"] == 4


async def test_open_days_are_read_even_when_stored(at_work: ClinicAtWork, doors: Doors) -> None:
    query = {"client_id": at_work.client_id, "start_date_str": RU, "end_date_str": RU}
    found = []
    async with working(at_work.app):
        for _ in range(2):
            at_work.clock.pass_time(timedelta(seconds=1))
            body = body_of(await doors.owner.post(RANGE, params=query))
            found.append((body["daily_breakdown"][0]["status"], body["overall_summary"]))
    stored = truth_of(at_work)["calls_stored"]
    assert [status for status, _ in found] == ["completed", "completed"]
    assert [summary["total_calls_saved"] for _, summary in found] == [stored, 0]


async def test_a_clinic_that_has_to_authorise_again_fails_in_words(
    at_work: ClinicAtWork, doors: Doors
) -> None:
    query = {"client_id": at_work.client_id, "start_date_str": "18.11.2026", "end_date_str": RU}
    async with working(at_work.app):
        run = await at_work.app.asked.bulk(at_work.client_id, "18.11.2026", RU, skip_known=True)
        await ended(at_work.app, run.id)
        await at_work.app.documents.delete(_tokens(), {"client_id": at_work.client_id})
        at_work.app.accounts.reopen(at_work.client_id)
        body = body_of(await doors.owner.post(RANGE, params=query))
    shaped(body, {"success": False, "message": str, "daily_breakdown": [DAY_OF_RANGE]})
    assert {day["status"] for day in body["daily_breakdown"]} == {"failed_day_processing"}
    assert ":" in body["message"]


@pytest.mark.parametrize(
    "days",
    [("31.02.2026", RU), (RU, "18.11.2026"), ("01.01.2020", RU), ("\x00", RU), (RU, "19.11.26")],
)
async def test_senseless_dates_are_refused(doors: Doors, days: tuple[str, str]) -> None:
    client_id = (await doors.application.clinics.all().__anext__()).client_id
    query = {"client_id": client_id, "start_date_str": days[0], "end_date_str": days[1]}
    assert (await doors.owner.post(RANGE, params=query)).status_code == 400
    for path in (BULK, AGAIN, PLAIN):
        answer = await doors.owner.post(path, params={"client_id": client_id, "date": "31.02.2026"})
        assert answer.status_code == 400
    assert await doors.application.runs.newest(None, 10) == []


# Waiting


async def test_without_workers_the_answer_says_so_and_the_work_is_kept(
    at_work: ClinicAtWork, doors: Doors
) -> None:
    query = {"client_id": at_work.client_id, "date": RU}
    async with asyncio.timeout(20):
        body = body_of(await doors.owner.post(BULK, params=query))
    shaped(body, {"success": False, "message": str, "data": None})
    assert "medai worker" in body["message"]
    async with working(at_work.app):
        await ended(at_work.app, body["run_id"])
    assert len(await at_work.documents()) == truth_of(at_work)["calls_found"]


async def test_a_long_wait_ends_with_where_to_look(
    sandbox: RunningSandbox, prepared_dsn: str, tmp_path: Path
) -> None:
    async for at_work in opened_clinic(
        sandbox, prepared_dsn, tmp_path, 0, api_longest_wait_seconds=1
    ):
        async with doors_of(at_work.app) as doors:
            query = {"client_id": at_work.client_id, "start_date_str": RU, "end_date_str": RU}
            body = body_of(await doors.owner.post(RANGE, params=query))
            shaped(body, {"success": False, "message": str, "overall_summary": SUMMARY})
            run_id = body["clinics"][0]["run_id"]
            assert f"/api/runs/{run_id}" in body["message"]
            assert body["daily_breakdown"] == []


async def test_a_crm_that_fails_for_now_is_told_and_asking_again_tries_at_once(
    sandbox: RunningSandbox, prepared_dsn: str, tmp_path: Path
) -> None:
    async for at_work in opened_clinic(
        sandbox, prepared_dsn, tmp_path, 0, api_longest_wait_seconds=20
    ):
        async with doors_of(at_work.app) as doors, working(at_work.app):
            query = {"client_id": at_work.client_id, "date": RU}
            sandbox.control.fail("amocrm", "server_error", match="GET", times=0)
            async with asyncio.timeout(15):  # the next attempt is a minute away
                failed = body_of(await doors.owner.post(AGAIN, params=query))
            shaped(failed, {"success": False, "message": str, "data": None})
            assert "ещё идёт (amoCRM" in failed["message"]
            sandbox.control.clear_faults()
            at_work.clock.pass_time(timedelta(seconds=50))
            body = body_of(await doors.owner.post(AGAIN, params=query))
            assert (body["success"], body["run_id"]) == (True, failed["run_id"])


async def test_who_hangs_up_and_asks_again_joins_the_same_run(
    at_work: ClinicAtWork, doors: Doors
) -> None:
    query = {"client_id": at_work.client_id, "date": RU}
    asking = asyncio.create_task(doors.owner.post(BULK, params=query))
    first = await begun(at_work.app)
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    async with working(at_work.app):
        body = body_of(await doors.owner.post(BULK, params=query))
    assert body["run_id"] == first.id
    assert body["data"]["calls_saved"] == truth_of(at_work)["calls_stored"]


# All clinics, in turns


async def test_all_clinics_of_the_key(at_work: ClinicAtWork, doors: Doors) -> None:
    await second_clinic(at_work)
    query: Json = {"start_date_str": ISO, "end_date_str": RU, "all_clinics": "true"}
    truth = at_work.sandbox.control.truth()["clinics"]
    async with working(at_work.app):
        body = body_of(await doors.owner.post(RANGE, params=query))
    shaped(body, {"success": True, "client_id": None, "daily_breakdown": [DAY_OF_RANGE]})
    saved = {one["client_id"]: one["calls_saved"] for one in body["clinics"]}
    assert saved == {client_id: truth[client_id]["calls_stored"] for client_id in saved}
    assert len(saved) == 2
    assert body["overall_summary"]["total_calls_saved"] == sum(saved.values())
    assert [day["date"] for day in body["daily_breakdown"]] == [ISO]
    both = {**query, "client_id": at_work.client_id}
    assert (await doors.owner.post(RANGE, params=both)).status_code == 400


@pytest.mark.parametrize("kind", [RunKind.BULK, RunKind.SYNC])
async def test_a_long_range_keeps_no_other_clinic_waiting(
    at_work: ClinicAtWork, monkeypatch: pytest.MonkeyPatch, kind: RunKind
) -> None:
    other = await second_clinic(at_work)
    app = at_work.app
    turns: list[str] = []
    sync = app.phases.sync

    async def counted(run_id: str) -> None:
        turns.append(run_id)
        await sync(run_id)

    monkeypatch.setattr(app.phases, "sync", counted)
    long_days = ("01.11.2026", "19.11.2026")
    if kind is RunKind.BULK:
        long = (await app.asked.bulk(at_work.client_id, *long_days)).id
    else:
        long = await app.asked.sync(at_work.client_id, *long_days)
    short = [await app.asked.sync(other["client_id"], day, day) for day in ("17.11.2026", RU)]
    async with one_sync_at_a_time(app):
        await ended(app, *short, long)
    assert turns[:3] == [long, *short]
    assert turns[3:] == [long] * (18 if kind is RunKind.BULK else 2)
    done = await app.runs.require(long)
    assert (done.state, done.next_day) == ("completed", "2026-11-20")
    if kind is RunKind.BULK:
        assert len(done.outcomes) == 19
    else:
        own = [o for o in await at_work.documents() if o["client_id"] == at_work.client_id]
        assert done.statistics["total_found"] == len(own) >= truth_of(at_work)["calls_found"]


# POST admin/clinics/{client_id}/process-data


async def test_process_data_answers_at_once_under_both_names(
    at_work: ClinicAtWork, doors: Doors
) -> None:
    days = {"start_date_str": RU, "end_date_str": ISO}
    for prefix in ("/api", ""):
        path = f"{prefix}/admin/clinics/{at_work.client_id}/process-data"
        body = body_of(await doors.owner.post(path, params=days))
        shaped(body, {"success": True, "message": str, "run_id": str, "client_id": str})
        run = body_of(await doors.owner.get(f"/api/runs/{body['run_id']}"))
        shaped(run, {"id": body["run_id"], "kind": "process", "state": "running"})
        assert (await doors.stranger.post(path, params=days)).status_code == 401
        wrong = {**days, "start_date_str": "20.11.2026"}
        assert (await doors.owner.post(path, params=wrong)).status_code == 400
        unknown = f"{prefix}/admin/clinics/nobody/process-data"
        assert (await doors.owner.post(unknown, params=days)).status_code == 404


# Hostile input


@pytest.mark.parametrize("text", ["\x00", "а" * 900, "‮", "' OR 1=1 --", "../..", "9" * 40])
async def test_hostile_texts_are_refused_and_harm_nothing(doors: Doors, text: str) -> None:
    owner = doors.owner
    three = {"client_id": text, "start_date": text, "end_date": text}
    ranges = {"client_id": text, "start_date_str": text, "end_date_str": text}
    answers = [
        await owner.post(EXPORT, json=three),
        await owner.get(RESULTS, params=three),
        await owner.get(RESULTS, params={**three, "run_id": text}),
        await owner.get("/api/calls-events/export-status", params={"client_id": text, "date": RU}),
        await owner.delete(RESULTS, params={"client_id": text}),
        await owner.post(RANGE, params=ranges),
        *[await owner.post(path, params={"client_id": text, "date": text})
          for path in (BULK, AGAIN, PLAIN)],
    ]  # fmt: skip
    for answer in answers:
        assert answer.status_code in (400, 404, 422), (answer.request.url, answer.text)
    huge = {"concurrency": str(2**70), "date": RU}
    assert (await owner.post(BULK, params=huge)).status_code == 422
    raw = await owner.post(
        EXPORT, content=b'{"client_id": "\\ud800"}', headers={"Content-Type": "application/json"}
    )
    assert raw.status_code in (404, 422)


async def test_an_installation_without_clinics_says_what_is_missing(
    sandbox: RunningSandbox, prepared_dsn: str, tmp_path: Path
) -> None:
    settings = settings_for(sandbox.url, prepared_dsn, tmp_path)
    async with open_application(settings, clock=lambda: EVENING) as app, doors_of(app) as doors:
        for path in (BULK, AGAIN, PLAIN):
            assert (await doors.owner.post(path)).status_code == 404
        query = {"start_date_str": RU, "end_date_str": RU}
        assert (await doors.owner.post(RANGE, params=query)).status_code == 404
        every = body_of(await doors.owner.post(RANGE, params={**query, "all_clinics": True}))
        assert (every["success"], every["clinics"]) == (True, [])
