"""What came of one day of a bulk sync (contract 1.1, daily_breakdown)."""

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Literal

from medai.calls.models import SkipReason
from medai.kit.model import Frozen


class DayStatus(StrEnum):
    """How a day ended, in the words of old clients."""

    SKIPPED = "skipped"
    COMPLETED = "completed"
    COMPLETED_NO_LEADS = "completed_no_leads"
    COMPLETED_WITH_ERRORS = "completed_with_errors"
    FAILED = "failed_day_processing"


class DayOutcome(Frozen):
    """Counts of one day. `leads_processed` are the leads behind all calls found, and
    `leads_with_calls` those behind calls that are kept; `errors` counts calls whose note the CRM
    does not show. `seconds` is how long the day was read."""

    status: DayStatus
    leads_processed: int = 0
    calls_saved: int = 0
    leads_with_calls: int = 0
    errors: int = 0
    seconds: float = 0.0


SKIPPED = DayOutcome(status=DayStatus.SKIPPED)


def failed_day(seconds: float = 0.0) -> DayOutcome:
    """A day that could not be read."""
    return DayOutcome(status=DayStatus.FAILED, errors=1, seconds=seconds)


Facts = tuple[int | None, SkipReason | None]
"""Of one call: its lead, and why it is skipped."""


def outcome_of(calls: Iterable[Facts], saved: int, seconds: float) -> DayOutcome:
    """The outcome of a day that was read: its stored calls, and how many of them are new."""
    found: set[int] = set()
    kept: set[int] = set()
    errors = 0
    for lead_id, skip_reason in calls:
        errors += skip_reason is SkipReason.NOTE_MISSING
        if lead_id is not None:
            found.add(lead_id)
            if skip_reason is None:
                kept.add(lead_id)
    return DayOutcome(
        status=_status(leads=len(found), errors=errors),
        leads_processed=len(found),
        calls_saved=saved,
        leads_with_calls=len(kept),
        errors=errors,
        seconds=seconds,
    )


def _status(*, leads: int, errors: int) -> DayStatus:
    if errors:
        return DayStatus.COMPLETED_WITH_ERRORS
    return DayStatus.COMPLETED if leads else DayStatus.COMPLETED_NO_LEADS


def state_of_days(outcomes: Collection[DayOutcome]) -> Literal["completed", "partial", "failed"]:
    """How a run of these days ended."""
    failed = sum(one.status is DayStatus.FAILED for one in outcomes)
    if not failed:
        return "completed"
    return "failed" if failed == len(outcomes) else "partial"


def joined(outcomes: Iterable[DayOutcome]) -> DayOutcome:
    """One day of several clinics: counts add up, the worst status stands for all."""
    total = SKIPPED
    for one in outcomes:
        total = DayOutcome(
            status=max(total.status, one.status, key=_WORSE.index),
            leads_processed=total.leads_processed + one.leads_processed,
            calls_saved=total.calls_saved + one.calls_saved,
            leads_with_calls=total.leads_with_calls + one.leads_with_calls,
            errors=total.errors + one.errors,
            seconds=total.seconds + one.seconds,
        )
    return total


_WORSE = (
    DayStatus.SKIPPED,
    DayStatus.COMPLETED_NO_LEADS,
    DayStatus.COMPLETED,
    DayStatus.COMPLETED_WITH_ERRORS,
    DayStatus.FAILED,
)
