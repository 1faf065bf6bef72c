"""The schedule on real stores: begun once, carried to its end, repeated, waiting for a stop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from tests.fixtures.clinic_at_work import TODAY, ClinicAtWork

from medai.calls.models import Stage
from medai.kit.days import parse_range
from medai.processing.ports import Queue
from medai.processing.run_phases import REPEATS
from medai.processing.runs import Phase, Run, RunKind
from medai.processing.schedule.memory import ScheduleMemory
from medai.processing.schedule.rules import Activity, Due
from medai.processing.stops import CRM, scope
from medai.worker.runner import run_workers

NOTE = 1000004
DAYS = ("19.11.2026", "19.11.2026")


@asynccontextmanager
async def workers(at_work: ClinicAtWork) -> AsyncIterator[None]:
    """All queues at work until the block ends."""
    task = asyncio.create_task(run_workers(at_work.app, dict.fromkeys(Queue)))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until_ended(at_work: ClinicAtWork, kind: str) -> Run:
    """Tick as the background task does until the newest run of the kind has ended."""
    async with asyncio.timeout(90):
        while True:
            await at_work.app.schedule.tick()
            found = [run for run in await at_work.app.runs.newest(None, 50) if run.kind == kind]
            if found and found[0].state != "running":
                return found[0]
            await asyncio.sleep(0.2)


async def sync_run(at_work: ClinicAtWork) -> Run:
    """A person's sync, queued."""
    run_id = await at_work.app.asked.sync(at_work.client_id, *DAYS)
    return await at_work.app.runs.require(run_id)


async def test_of_many_tickers_one_begins(at_work: ClinicAtWork) -> None:
    await at_work.clinic(created_at=at_work.clock() - timedelta(days=30))
    counts = await asyncio.gather(*[at_work.app.schedule.tick() for _ in range(8)])
    kinds = [run.kind for run in await at_work.app.runs.newest(at_work.client_id, 50)]
    assert sorted(kinds) == sorted({*kinds}) == ["links", "night", "poll", "rescan"]
    assert sum(counts) == len(set(Activity) - {Activity.TICK})
    assert await at_work.app.schedule.tick() == 0
    jobs = await at_work.jobs("sync_clinic")
    assert len(jobs) == len({key for key, _ in jobs}) == 3


async def test_a_claim_is_given_once(at_work: ClinicAtWork) -> None:
    memory = ScheduleMemory(at_work.app.documents, at_work.clock)
    for _ in range(3):
        seen = (await memory.of("x")).get(Activity.EXPORT)
        at_work.clock.pass_time(timedelta(hours=1))
        due = Due(Activity.EXPORT)
        claims = await asyncio.gather(*[memory.claim("x", due, seen) for _ in range(10)])
        assert sum(claims) == 1


async def test_of_many_processes_one_ticks(at_work: ClinicAtWork) -> None:
    pause = timedelta(seconds=25)
    for _ in range(3):
        turns = await asyncio.gather(*[at_work.app.schedule.is_my_turn(pause) for _ in range(8)])
        assert sum(turns) == 1
        at_work.clock.pass_time(pause)


async def test_a_whole_night(at_work: ClinicAtWork) -> None:
    """The day is synced, processed and exported by nothing but ticks and workers."""
    await at_work.clinic(created_at=at_work.clock() - timedelta(days=1))
    async with workers(at_work):
        night = await until_ended(at_work, RunKind.NIGHT)
    assert (night.first, night.last) == ("2026-11-18", "2026-11-19")
    assert night.statistics["total_found"] > 0
    assert night.statistics["rows_call_details"] > 0
    assert night.state == "completed", night.error
    days = parse_range(night.first, night.last)
    calls = [call async for call in at_work.app.calls.of_days(at_work.client_id, days)]
    kept = [call for call in calls if call.skip_reason is None and call.recording_url]
    assert kept
    assert {call.stage for call in kept} == {Stage.EXPORTED}
    assert at_work.sandbox.control.bill()["stt_paid"] == len(kept)


async def test_one_page_of_html_does_not_end_a_sync(at_work: ClinicAtWork) -> None:
    run = await sync_run(at_work)
    at_work.sandbox.control.fail("amocrm", "html_ok", match="/events", times=9)
    await at_work.app.phases.sync(run.id)
    failed = await at_work.app.runs.require(run.id)
    assert (failed.state, failed.attempts) == ("running", 1)
    assert failed.error
    assert failed.next_try_at == at_work.clock() + REPEATS[0]
    assert failed.next_try_at in [when for _, when in await at_work.jobs("sync_clinic")]
    await at_work.app.phases.sync(run.id)  # too early: nobody is asked
    assert (await at_work.app.runs.require(run.id)).attempts == 1
    at_work.sandbox.control.clear_faults()
    at_work.clock.pass_time(REPEATS[0])
    await at_work.app.phases.sync(run.id)
    done = await at_work.app.runs.require(run.id)
    assert (done.state, done.error) == ("completed", "")
    assert done.statistics["total_found"] > 0


async def test_a_run_that_goes_on_failing_ends_in_words(at_work: ClinicAtWork) -> None:
    run = await sync_run(at_work)
    at_work.sandbox.control.fail("amocrm", "html_ok", match="/events", times=99)
    for pause in REPEATS:
        await at_work.app.phases.sync(run.id)
        assert (await at_work.app.runs.require(run.id)).state == "running"
        at_work.clock.pass_time(pause)
    await at_work.app.phases.sync(run.id)
    ended = await at_work.app.runs.require(run.id)
    assert ended.state == "failed"
    assert ended.error


async def test_a_stopped_crm_stands_still_until_the_trial(at_work: ClinicAtWork) -> None:
    await at_work.clinic(created_at=at_work.clock() - timedelta(days=1))
    at_work.sandbox.control.fail("amocrm", "payment_required", times=9)
    await at_work.app.schedule.tick()
    (poll,) = [r for r in await at_work.app.runs.newest(None, 50) if r.kind == RunKind.POLL]
    await at_work.app.phases.sync(poll.id)
    stops = [stop async for stop in at_work.app.stops.standing()]
    assert [stop.id for stop in stops] == [scope(CRM, at_work.client_id)]
    waiting = await at_work.app.runs.require(poll.id)
    assert (waiting.state, waiting.attempts) == ("running", 0)
    assert waiting.next_try_at == stops[0].next_trial_at
    assert waiting.error == stops[0].message
    at_work.sandbox.control.clear_faults()
    at_work.clock.pass_time(timedelta(minutes=1))
    await at_work.app.phases.sync(poll.id)
    assert [stop async for stop in at_work.app.stops.standing()] == []
    assert (await at_work.app.runs.require(poll.id)).phase is Phase.CALLS


async def test_a_person_does_not_wait_for_the_trial(at_work: ClinicAtWork) -> None:
    at_work.sandbox.control.fail("amocrm", "payment_required", times=9)
    refused = await sync_run(at_work)
    await at_work.app.phases.sync(refused.id)
    assert (await at_work.app.runs.require(refused.id)).state == "failed"
    at_work.sandbox.control.clear_faults()
    at_work.clock.pass_time(timedelta(minutes=1))  # the client's own pause after a refusal
    mended = await sync_run(at_work)
    await at_work.app.phases.sync(mended.id)
    assert (await at_work.app.runs.require(mended.id)).state == "completed"


async def test_a_late_link_is_filled_and_the_call_goes_on(at_work: ClinicAtWork) -> None:
    notes = at_work.account.notes["leads"]
    notes.hold_link(NOTE)
    await at_work.sync()
    await at_work.app.requests.everything(at_work.client_id, TODAY)
    before = await at_work.call(NOTE)
    assert (before.stage, before.recording_url) == (Stage.DISCOVERED, None)
    notes.release_link(NOTE, at_work.account.now())
    run = await repair_run(at_work)
    after = await at_work.call(NOTE)
    assert (after.stage, bool(after.recording_url)) == (Stage.RECORDED, True)
    assert f"recording:{after.id}" in [key for key, _ in await at_work.jobs("fetch_recording")]
    assert run.statistics == {"links_repaired": 1}
    assert (await repair_run(at_work)).statistics == {"links_repaired": 0}


async def repair_run(at_work: ClinicAtWork) -> Run:
    """A link repair, begun and ended."""
    started = await at_work.app.runs.start(
        at_work.client_id, RunKind.LINKS, *DAYS, phase=Phase.LINKS
    )
    await at_work.app.phases.links(started.id)
    return await at_work.app.runs.require(started.id)


async def test_the_schedule_gives_no_second_chance(at_work: ClinicAtWork) -> None:
    """What failed for good would be paid for every quarter of an hour."""
    await at_work.sync()
    await at_work.app.requests.everything(at_work.client_id, TODAY, run_id="first")
    again = await at_work.app.requests.newcomers(at_work.client_id, TODAY, run_id="second")
    assert again == 0
    assert (await at_work.call(NOTE)).run_id == "first"


async def test_the_token_is_kept_without_asking_in_vain(at_work: ClinicAtWork) -> None:
    before = at_work.sandbox.control.bill()["crm_requests"]
    await at_work.app.token_keeper.keep(at_work.client_id)
    assert at_work.sandbox.control.bill()["crm_requests"] == before
