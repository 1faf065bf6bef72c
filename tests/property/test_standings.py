"""Counting groups of calls that stand alike gives what counting every call gives."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.call_library import audio, done
from tests.fixtures.clinic_day import DAY, NOON, stored_call
from tests.fixtures.transcription import SettableClock

from medai.calls.life import due_steps, is_settled, open_steps
from medai.calls.models import Call, Failure, SkipReason, Stage, Step
from medai.calls.period_status import (
    PeriodStatus,
    PeriodStatuses,
    analysis_state,
    counted,
    transcription_state,
)
from medai.calls.repository import CALLS, CallRepository, to_document
from medai.calls.standing import GROUPED_BY, Standing, standing_of
from medai.infra.documents import Documents, Present, storable
from medai.infra.jsonb import canonical
from medai.kit.days import DayRange
from medai.kit.ids import call_id
from medai.processing.requests import Progress, WorkRequests

DAYS = DayRange(DAY, DAY)
SOON = timedelta(minutes=30)
WISHES = ("transcription_requested_at", "analysis_requested_at")
MOMENTS = [NOON + timedelta(minutes=minutes) for minutes in (-40, -1, 0, 1, 30, 31, 600)]


def made(note_id: int, stage: Stage, *, noted: bool, analysed: bool, **changes: Any) -> Call:
    """A call whose results are those of its stage; past the transcript each may be missing."""
    results = done(note_id)
    transcribed = stage.rank >= Stage.TRANSCRIBED.rank
    held = {
        "recording_url": None if stage is Stage.DISCOVERED else "https://pbx.example/1.mp3",
        "audio": audio(f"c{note_id}") if stage.rank >= Stage.AUDIO_STORED.rank else None,
        "transcript": results["transcript"] if transcribed else None,
        "crm_note": results["crm_note"] if transcribed and noted else None,
        "analysis": results["analysis"] if transcribed and analysed else None,
    }
    skipped = {"skip_reason": SkipReason.SHORT} if stage is Stage.SKIPPED else {}
    return stored_call(note_id, stage=stage, **{**held, **skipped, **changes})


moments = st.none() | st.sampled_from(MOMENTS)
failures = st.builds(
    Failure,
    code=st.sampled_from(["limit_exceeded", "provider_stopped", "recording_unavailable"]),
    message=st.sampled_from(["Минут нет", "Сервис не отвечает"]),
    attempts=st.integers(1, 2),
    failed_at=st.sampled_from(MOMENTS),
    next_try_at=moments,
    stop=st.sampled_from([None, "elevenlabs"]),
)
calls = st.builds(
    made,
    st.integers(1, 10**6),
    st.sampled_from(list(Stage)),
    noted=st.booleans(),
    analysed=st.booleans(),
    origin=st.sampled_from(["amocrm", "file"]),
    transcription_requested_at=moments,
    analysis_requested_at=moments,
    analysis_again_at=moments,
    cancelled_at=moments,
    failures=st.dictionaries(st.sampled_from(list(Step)), failures, max_size=3),
)


@given(st.lists(calls, max_size=30), st.sampled_from(MOMENTS))
def test_folds_of_groups_equal_a_count_of_every_call(found: list[Call], now: datetime) -> None:
    groups = grouped(found)
    assert sum(count for _, count in groups) == len(found)
    progress = Progress()
    for standing, count in groups:
        progress.add(standing, now, count)
    assert progress == naive_progress(found, now)
    assert counted(groups, transcription_state, now) == naive_transcription(found, now)
    assert counted(groups, analysis_state, now) == naive_analysis(found, now)


async def test_the_store_groups_every_kind_of_call(documents: Documents) -> None:
    await documents.prepare([CALLS])
    repository, clock = CallRepository(documents), SettableClock(NOON)
    statuses = PeriodStatuses(repository, clock)
    requests = WorkRequests(repository, None, clock)  # type: ignore[arg-type]
    found = every_kind()
    await repository.insert_many(found)

    groups = await repository.standings("clinic-1", DAYS)
    assert Counter(map(_text, groups)) == Counter(map(_text, grouped(found)))
    assert len(groups) < len(found) / 2

    assert await requests.progress("clinic-1", DAYS) == naive_progress(found, NOON)
    of_run = [call for call in found if call.run_id == "r"]
    assert await requests.progress(None, DAYS, run_id="r") == naive_progress(of_run, NOON)
    assert await statuses.transcription("clinic-1", DAYS) == naive_transcription(found, NOON)
    assert await statuses.analysis(None, DAYS) == naive_analysis(found, NOON)
    assert await statuses.analysis("nobody", DAYS) == PeriodStatus()


async def test_who_came_after_the_last_request_is_counted_in_the_store(
    documents: Documents,
) -> None:
    await documents.prepare([CALLS])
    repository = CallRepository(documents)
    statuses = PeriodStatuses(repository, SettableClock(NOON))
    early, late = NOON - timedelta(hours=1), NOON + timedelta(hours=1)
    asked = {"transcription_requested_at": NOON, "analysis_requested_at": NOON}
    unasked: list[dict[str, Any]] = [
        {"updated_at": late}, {"updated_at": early}, {"updated_at": late, "cancelled_at": NOON},
    ]  # fmt: skip
    kinds = [
        (Stage.EXPORTED, True, asked), (Stage.SKIPPED, True, asked | {"updated_at": late}),
        *((stage, False, one) for stage in (Stage.RECORDED, Stage.NOTED) for one in unasked),
    ]  # fmt: skip
    await repository.insert_many(
        [
            made(note, stage, noted=True, analysed=analysed, **changes)
            for note, (stage, analysed, changes) in enumerate(kinds)
        ]
    )
    transcription = PeriodStatus(success=4, unasked=2, latecomers=1, cancelled=1)
    assert await statuses.transcription("clinic-1", DAYS) == transcription
    assert await statuses.analysis("clinic-1", DAYS) == PeriodStatus(
        success=1, unasked=2, latecomers=1, cancelled=1
    )


async def test_the_last_request_is_that_of_any_call_of_the_days(documents: Documents) -> None:
    await documents.prepare([CALLS])
    repository = CallRepository(documents)
    statuses = PeriodStatuses(repository, SettableClock(NOON))
    between, last = NOON + timedelta(minutes=30), NOON + timedelta(hours=1)
    await repository.insert_many(
        [
            made(1, Stage.EXPORTED, noted=True, analysed=True, analysis_requested_at=NOON),
            made(2, Stage.NOTED, noted=True, analysed=False, updated_at=between),
        ]
    )
    assert (await statuses.analysis("clinic-1", DAYS)).latecomers == 1
    untranscribed = made(3, Stage.RECORDED, noted=False, analysed=False, analysis_requested_at=last)
    assert await repository.insert(untranscribed)
    assert await statuses.analysis("clinic-1", DAYS) == PeriodStatus(success=1, unasked=1)


def every_kind() -> list[Call]:
    """One call of every combination, then all of them once more."""
    later, hours = NOON + timedelta(minutes=5), NOON + timedelta(hours=5)
    failed = [None, ("limit_exceeded", hours, None), ("lost", None, None), ("lost", later, None),
              ("lost", hours, None), ("stopped", later, "elevenlabs")]  # fmt: skip
    stages = [Stage.DISCOVERED, Stage.SKIPPED, Stage.RECORDED, Stage.AUDIO_STORED, Stage.NOTED]
    kinds = product(stages, failed, (None, NOON), (None, NOON), (False, True))
    return [
        made(
            note_id, stage, noted=analysed, analysed=analysed, id=call_id("clinic-1", note_id),
            transcription_requested_at=wanted, analysis_requested_at=wanted, cancelled_at=cancelled,
            analysis_again_at=None if note_id % 5 else wanted,
            failures=failures_of(failure), run_id="r" if note_id % 3 else None,
        )
        for note_id, (stage, failure, wanted, cancelled, analysed) in enumerate([*kinds] * 2)
    ]  # fmt: skip


def failures_of(failure: tuple[str, datetime | None, str | None] | None) -> dict[Step, Failure]:
    if failure is None:
        return {}
    code, again, stop = failure
    one = Failure(code=code, message=code, attempts=1, failed_at=NOON, next_try_at=again, stop=stop)
    return dict.fromkeys(Step, one)


def grouped(found: Sequence[Call]) -> list[tuple[Standing, int]]:
    """What the store is to find."""
    values: dict[str, tuple[Any, ...]] = {}
    counts = Counter[str]()
    for call in found:
        document = storable(to_document(call))
        one = tuple(
            document[by.path] is not None if isinstance(by, Present) else document[by]
            for by in GROUPED_BY
        )
        values[canonical(one)] = one
        counts[canonical(one)] += 1
    return [(standing_of(values[text]), count) for text, count in counts.items()]


def _text(group: tuple[Standing, int]) -> str:
    standing, count = group
    failed = sorted(
        (step, failure.model_dump_json()) for step, failure in standing.failures.items()
    )
    rest = [getattr(standing, by.path if isinstance(by, Present) else by) for by in GROUPED_BY[:-1]]
    return repr([*(r.isoformat() if isinstance(r, datetime) else r for r in rest), failed, count])


def naive_progress(found: Sequence[Call], now: datetime) -> Progress:
    kept = [call for call in found if call.skip_reason is None]
    failed = [(call, step, one) for call in kept for step, one in call.failures.items()]
    waiting = [
        one
        for call, step, one in failed
        if one.next_try_at and one.next_try_at > now and step in open_steps(call)
    ]
    return Progress(
        total=len(kept),
        recorded=sum(bool(call.recording_url or call.audio) for call in kept),
        settled=sum(map(is_settled, kept)),
        transcribed=sum(call.transcript is not None for call in kept),
        noted=sum(call.crm_note is not None for call in kept),
        analysed=sum(is_analysed(call) for call in kept),
        waiting=Counter(one.message for one in waiting),
        failed=Counter(one.message for _, _, one in failed if one.next_try_at is None),
        working=sum(bool(due_steps(call, now)) for call in kept),
        earliest=min((one.next_try_at for one in waiting if one.next_try_at), default=None),
    )


def naive_transcription(found: Sequence[Call], now: datetime) -> PeriodStatus:
    kept = [call for call in found if call.skip_reason is None and call.recording_url]
    undone = [call for call in kept if call.transcript is None]
    steps = [
        Step.RECORDING if call.stage is Stage.RECORDED else Step.TRANSCRIPTION for call in undone
    ]
    return naive_status(undone, steps, WISHES[0], len(kept) - len(undone), now)


def naive_analysis(found: Sequence[Call], now: datetime) -> PeriodStatus:
    kept = [call for call in found if call.skip_reason is None and call.transcript]
    undone = [call for call in kept if not is_analysed(call)]
    steps = [Step.ANALYSIS] * len(undone)
    return naive_status(undone, steps, WISHES[1], len(kept) - len(undone), now)


def is_analysed(call: Call) -> bool:
    """An analysis that is to be replaced does not count."""
    return call.analysis is not None and call.analysis_again_at is None


def naive_status(
    undone: Sequence[Call], steps: Sequence[Step], wish: str, success: int, now: datetime
) -> PeriodStatus:
    """One question after the other, over whole calls; what none of them finds is going on."""
    pairs = [(call, call.failures.get(step)) for call, step in zip(undone, steps, strict=True)]
    limited = [call for call, one in pairs if one and one.code == "limit_exceeded"]
    broken = [(call, one) for call, one in pairs if one and one.code != "limit_exceeded"]
    final = [call for call, one in broken if one.next_try_at is None]
    wanted = [(call, one) for call, one in broken if one.next_try_at and getattr(call, wish)]
    given_up = [call for call, one in broken if one.next_try_at and not getattr(call, wish)]
    resting = [
        call
        for call, one in wanted
        if one.stop or (one.next_try_at and one.next_try_at > now + SOON)
    ]
    idle = [call for call, one in pairs if not one and not getattr(call, wish)]
    unasked = [call for call in idle if call.cancelled_at is None]
    elsewhere = [*limited, *final, *resting, *given_up, *idle]
    return PeriodStatus(
        success=success,
        failed=len(final),
        processing=len(undone) - len(elsewhere),
        unasked=len(unasked),
        resting=len(resting),
        cancelled=len(given_up) + len(idle) - len(unasked),
        limit_exceeded=len(limited),
    )
