"""Who rang in vain: decided from stored facts alone. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime

from medai.calls.models import Call, Direction, SkipReason
from medai.calls.skips import SHORTEST_KEPT_SECONDS
from medai.digests.models import Missed, MissedPatient
from medai.kit.phones import comparable


def missed_of(calls: Iterable[Call], day: date) -> Missed:
    """The unanswered incoming calls of a business day, by number.

    Unanswered is an incoming call of no duration (contract 4.3: `filtered_zero_duration`). Its
    number was called back when anybody talked with it after the last attempt, whoever rang. `calls`
    holds those of the day and of the time since, in any order; a call without a number stands for
    itself. One call that was posted twice (`uniq`) counts once.
    """
    attempts: defaultdict[str, dict[str, Call]] = defaultdict(dict)
    talked: dict[str, datetime] = {}
    for call in calls:
        number = comparable(call.phone) or call.id
        if call.duration_seconds >= SHORTEST_KEPT_SECONDS:
            talked[number] = max(call.started_at, talked.get(number, call.started_at))
        elif call.business_day == day and is_unanswered(call):
            attempts[number][call.uniq or call.id] = call
    waiting = [
        _patient(list(rung.values()))
        for number, rung in attempts.items()
        if not _was_reached(rung.values(), talked.get(number))
    ]
    return Missed(
        calls=sum(len(rung) for rung in attempts.values()),
        patients=len(attempts),
        waiting=tuple(sorted(waiting, key=lambda one: (one.at, one.phone))),
    )


def is_unanswered(call: Call) -> bool:
    """Whether somebody rang and nobody took the call."""
    return call.direction is Direction.INBOUND and call.skip_reason is SkipReason.ZERO_DURATION


def _was_reached(rung: Iterable[Call], talked_at: datetime | None) -> bool:
    return talked_at is not None and talked_at >= max(call.started_at for call in rung)


def _patient(rung: list[Call]) -> MissedPatient:
    last = max(rung, key=lambda call: (call.started_at, call.id))
    return MissedPatient(last.phone, last.started_at, len(rung))
