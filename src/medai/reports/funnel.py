"""The way to a booking: how far first contacts came, and what the lost ones were missing.

Read from the scorecards: a criterion below `_GROWTH` counts as not done (zones of contract 7).
That a call ended in a booking is the CRM's word.
"""

from collections.abc import Iterable, Sequence

from medai.analysis.models import CallType
from medai.calls.models import Analysis, Call
from medai.reports.models import FunnelStep, Losses

_GROWTH = 5
_STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Выявлены потребности", ("needs_identification",)),
    (
        "Представлены услуга, врач или клиника",
        ("service_presentation", "doctor_presentation", "clinic_presentation"),
    ),
    ("Предложена запись", ("appointment",)),
)
_FIRST, _BOOKED = "Первичные звонки", "Записались (по CRM)"
_REASONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Запись не предложена", ("appointment",)),
    ("Нет следующего шага", ("next_step",)),
    ("Возражение не отработано", ("objection_handling",)),
    ("Цена названа без ценности", ("price",)),
    ("Потребности не выяснены", ("needs_identification", "question_clarification")),
    ("Услуга не представлена", ("service_presentation",)),
)
_TO_BOOK = (CallType.FIRST, CallType.REPEAT, CallType.CALL_BACK)
"""Types whose aim is a booking; a confirmation has one already."""


def funnel(calls: Iterable[Call]) -> tuple[FunnelStep, ...]:
    """First contacts that came at least as far as each step, empty without first contacts.

    A later step includes the earlier ones, as in any funnel: whoever booked was offered to.
    """
    depths = [
        _depth(call, call.analysis)
        for call in calls
        if call.analysis and call.analysis.call_type_id == CallType.FIRST
    ]
    names = (_FIRST, *(name for name, _ in _STEPS), _BOOKED)
    return tuple(
        FunnelStep(name, sum(depth >= step for depth in depths))
        for step, name in enumerate(names)
        if depths
    )


def losses(calls: Iterable[Call]) -> Losses:
    """Calls of types that can lead to a booking and did not; most frequent reasons first."""
    lost = [
        call.analysis
        for call in calls
        if call.analysis and call.analysis.call_type_id in _TO_BOOK and not call.converted
    ]
    reasons = [
        FunnelStep(name, sum(_weak(analysis, keys) for analysis in lost)) for name, keys in _REASONS
    ]
    return Losses(
        calls=len(lost),
        reasons=tuple(sorted((one for one in reasons if one.calls), key=lambda one: -one.calls)),
        unexplained=sum(not any(_weak(one, keys) for _, keys in _REASONS) for one in lost),
    )


def _depth(call: Call, analysis: Analysis) -> int:
    """0 is a call, the last step a booking."""
    if call.converted:
        return len(_STEPS) + 1
    done = [step for step, (_, keys) in enumerate(_STEPS, start=1) if _done(analysis, keys)]
    return max(done, default=0)


def _done(analysis: Analysis, keys: Sequence[str]) -> bool:
    return any((analysis.scores.get(key) or 0) >= _GROWTH for key in keys)


def _weak(analysis: Analysis, keys: Sequence[str]) -> bool:
    """One of the criteria applied to the call and was critical."""
    scores = (analysis.scores.get(key) for key in keys)
    return any(score is not None and score < _GROWTH for score in scores)
