"""The schedule when something around it is wrong: a bad clinic, a CRM that is down, odd clocks."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from tests.fixtures.clinic_at_work import EVENING, ClinicAtWork
from tests.fixtures.clinic_day import stored_call

from medai.calls.models import SkipReason, Stage, Step
from medai.clinics.models import Clinic
from medai.kit.ids import call_id
from medai.processing.run_phases import CONCLUDE_AGAIN, REPEATS
from medai.processing.runs import Phase, Run, RunKind

NOTE = 1000004
DAYS = ("19.11.2026", "19.11.2026")
WEEK_AGO = EVENING - timedelta(days=7)


async def runs_of(at_work: ClinicAtWork, kind: RunKind) -> list[Run]:
    return [run for run in await at_work.app.runs.newest(None, 50) if run.kind == kind]


async def begun_night(at_work: ClinicAtWork, connected: datetime = WEEK_AGO) -> Run:
    await at_work.clinic(created_at=connected)
    await at_work.app.schedule.tick()
    (night,) = await runs_of(at_work, RunKind.NIGHT)
    return night


async def test_one_clinic_with_a_bad_time_zone_stops_nobody(at_work: ClinicAtWork) -> None:
    """A restored dump may hold anything."""
    bad = Clinic(id="bad", client_id="0-first", name="А", subdomain="bad", timezone="Mars/Base",
                 created_at=WEEK_AGO, updated_at=WEEK_AGO)  # fmt: skip
    await at_work.app.clinics.insert(bad)
    night = await begun_night(at_work)
    assert night.client_id == at_work.client_id


async def test_one_run_with_unreadable_days_stops_nobody(at_work: ClinicAtWork) -> None:
    broken = Run(id="broken", client_id=at_work.client_id, kind="analysis", first="вчера",
                 last="", phase=Phase.CALLS, started_at=EVENING + timedelta(minutes=1))  # fmt: skip
    await at_work.app.runs.insert(broken)
    sync = await at_work.app.asked.sync(at_work.client_id, *DAYS)
    async with at_work.app.pool.connection() as connection, connection.transaction():
        await connection.execute("SET LOCAL search_path TO jobs")
        await connection.execute("DELETE FROM procrastinate_jobs")
    await at_work.app.schedule.tick()
    assert f"sync:{sync}" in [key for key, _ in await at_work.jobs("sync_clinic")]
    assert (await at_work.app.runs.require("broken")).state == "failed"


async def test_a_night_without_the_crm_still_works_exports_and_concludes(
    at_work: ClinicAtWork,
) -> None:
    await at_work.sync()
    await at_work.wanted(NOTE)
    await at_work.run(NOTE, *Step)
    await at_work.clinic(automatic_processing=False)
    at_work.clock.now = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)  # Monday, 21:30 in Moscow
    night = await begun_night(at_work, connected=EVENING)
    assert night.weeks == ("2026-11-16",)
    at_work.sandbox.control.fail("amocrm", "html_ok", times=0)
    for pause in (*REPEATS, timedelta()):
        await at_work.app.phases.sync(night.id)
        at_work.clock.pass_time(pause)
    waiting = await at_work.app.runs.require(night.id)
    assert (waiting.state, waiting.phase) == ("running", Phase.CALLS)
    await at_work.app.run_book.look(night.id)
    await at_work.app.phases.export(night.id)
    await at_work.app.phases.conclude(night.id)
    ended = await at_work.app.runs.require(night.id)
    assert ended.state == "partial"
    assert ended.error
    first, last = date(2026, 11, 16), date(2026, 11, 22)
    stored = await at_work.app.recommendations.stored(at_work.client_id, "weekly", first, last)
    assert stored is not None


async def test_conclusions_wait_for_the_model(at_work: ClinicAtWork) -> None:
    """No later run draws them: a model that is away on Monday evening is waited for."""
    await at_work.sync()
    await at_work.wanted(NOTE)
    await at_work.run(NOTE, *Step)
    night = Run(id="night", client_id=at_work.client_id, kind=RunKind.NIGHT, first="2026-11-23",
                last="2026-11-23", origin="schedule", phase=Phase.CONCLUSIONS,
                weeks=("2026-11-16",), started_at=EVENING)  # fmt: skip
    await at_work.app.runs.insert(night)
    at_work.sandbox.control.fail("openai", "bad_key", times=2)
    for _ in range(2):
        await at_work.app.phases.conclude(night.id)
        waiting = await at_work.app.runs.require(night.id)
        assert (waiting.state, bool(waiting.error)) == ("running", True)
        assert waiting.next_try_at == at_work.clock() + CONCLUDE_AGAIN
        at_work.clock.pass_time(CONCLUDE_AGAIN)
    await at_work.app.phases.conclude(night.id)
    assert (await at_work.app.runs.require(night.id)).state == "completed"


async def test_a_clinic_may_keep_its_calls_to_itself(at_work: ClinicAtWork) -> None:
    await at_work.clinic(automatic_processing=False)
    night = await begun_night(at_work)
    await at_work.app.phases.sync(night.id)
    call = await at_work.call(NOTE)
    assert (call.transcription_requested_at, call.run_id) == (None, None)
    assert (await at_work.app.runs.require(night.id)).wanted == 0


async def test_calls_just_before_midnight_are_found_by_the_next_poll(at_work: ClinicAtWork) -> None:
    await at_work.clinic(created_at=WEEK_AGO)
    at_work.clock.now = datetime(2026, 11, 19, 20, 50, tzinfo=UTC)  # 23:50 in Moscow
    await at_work.app.schedule.tick()
    for run in await runs_of(at_work, RunKind.POLL):
        await at_work.app.runs.complete(run.id, {})
    at_work.clock.pass_time(timedelta(minutes=15))
    await at_work.app.schedule.tick()
    newest = (await runs_of(at_work, RunKind.POLL))[0]
    assert (newest.first, newest.last) == ("2026-11-19", "2026-11-20")


async def test_clocks_of_two_machines_may_differ_by_seconds(at_work: ClinicAtWork) -> None:
    await at_work.clinic(created_at=WEEK_AGO)
    await at_work.app.schedule.tick()
    for run in await runs_of(at_work, RunKind.POLL):
        await at_work.app.runs.complete(run.id, {})
    at_work.clock.pass_time(timedelta(seconds=-3))  # the tick of a machine that is behind
    await at_work.app.schedule.tick()
    assert len(await runs_of(at_work, RunKind.POLL)) == 1


async def test_a_withdrawn_note_is_written_when_a_person_asks_again(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    asked = await at_work.app.asked.everything(at_work.client_id, *DAYS)
    await at_work.run(NOTE, Step.RECORDING, Step.TRANSCRIPTION, Step.ANALYSIS)
    told = await at_work.app.run_book.cancel(asked.run_id)
    assert told.run.statistics["withdrawn"] == asked.queued
    assert (await at_work.app.run_book.look(asked.run_id)).run == told.run
    assert (await at_work.run(NOTE, Step.NOTE)).crm_note is None
    await at_work.app.asked.everything(at_work.client_id, *DAYS)
    assert (await at_work.run(NOTE, Step.NOTE)).crm_note is not None


async def test_a_run_whose_calls_went_to_a_later_one_says_so(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    first = await at_work.app.asked.everything(at_work.client_id, *DAYS)
    await at_work.app.asked.everything(at_work.client_id, *DAYS)
    ended = (await at_work.app.run_book.look(first.run_id)).run
    assert ended.state == "partial"
    assert ended.statistics["taken_over"] == first.queued
    assert str(first.queued) in ended.trouble


async def test_late_links_of_one_pbx_call_make_one_call(at_work: ClinicAtWork) -> None:
    """One note had no length at first; another of the same call was processed meanwhile."""
    late, notes = 1000003, at_work.account.notes["leads"]
    notes.hold_link(late)
    await at_work.sync()
    await at_work.wanted(NOTE)
    kept = await at_work.run(NOTE, Step.RECORDING)
    skipped = {"uniq": kept.uniq, "duration_seconds": 0, "stage": Stage.SKIPPED,
               "skip_reason": SkipReason.ZERO_DURATION}  # fmt: skip
    await at_work.app.calls.change(call_id(at_work.client_id, late), skipped)
    notes.release_link(late, at_work.account.now())
    run = await at_work.app.runs.start(at_work.client_id, RunKind.LINKS, *DAYS, phase=Phase.LINKS)
    await at_work.app.phases.links(run.id)
    after = await at_work.call(late)
    assert after.recording_url
    assert (after.skip_reason, after.duplicate_of) == (SkipReason.DUPLICATE, kept.id)


async def test_later_steps_of_many_calls_let_a_few_pass(at_work: ClinicAtWork) -> None:
    """Recordings are quick: many calls wait for recognition when the small clinic asks."""
    for client_id, count in (("big", 60), ("small", 5)):
        calls = [
            stored_call(note, id=call_id(client_id, note), client_id=client_id,
                        started_at=EVENING + timedelta(seconds=note))
            for note in range(1, count + 1)
        ]  # fmt: skip
        await at_work.app.calls.insert_many(calls)
    at_work.app.pipeline._actions[Step.RECORDING] = _played
    manager = at_work.app.engine.job_manager
    worker = await manager.register_worker()
    for client_id in ("big", "small"):
        await at_work.app.asked.everything(client_id, *DAYS)
        while job := await manager.fetch_job(["recordings"], worker):
            await at_work.app.pipeline.run(Step.RECORDING, **job.task_kwargs)  # type: ignore[arg-type]
    query = (
        "SELECT args ->> 'call_id' FROM jobs.procrastinate_jobs"
        " WHERE task_name = 'transcribe_call' AND status = 'todo' ORDER BY priority DESC, id"
    )
    async with at_work.app.pool.connection() as connection:
        rows = await (await connection.execute(query)).fetchall()
    small = {call_id("small", note) for note in range(1, 6)}
    places = [place for place, (one,) in enumerate(rows) if one in small]
    assert len(rows) == 65
    assert max(places) <= 9
    assert {later - earlier for earlier, later in pairwise(places)} == {2}  # they take turns


async def _played(_call: object) -> dict[str, object]:
    return {}
