"""Long periods in slices: after each one other clinics have their turn. Pure."""

from datetime import date, timedelta

from medai.kit.days import DayRange, parse_range
from medai.processing.runs import Phase, Run, RunKind

_DAYS: dict[str, int] = {RunKind.BULK: 1, RunKind.SYNC: 7, RunKind.PROCESS: 7}
"""Days read in one job. A bulk run tells of each day; a request less per day is what longer slices
save. The schedule's own runs are short and not sliced."""


def days_of(run: Run) -> DayRange:
    """The days of the run, whatever form its client wrote them in. Raises InvalidInputError."""
    return parse_range(run.first, run.last or run.first)


def unread(run: Run) -> DayRange | None:
    """The days still to be read from the CRM, None when there are none."""
    days = days_of(run)
    first = date.fromisoformat(run.next_day) if run.next_day else days.first
    return DayRange(first, days.last) if first <= days.last else None


def next_slice(run: Run, left: DayRange) -> DayRange:
    """The days that are read next."""
    length = _DAYS.get(run.kind)
    if length is None:
        return left
    return DayRange(left.first, min(left.last, left.first + timedelta(days=length - 1)))


def turn(run: Run) -> int:
    """Priority of the run's next job: minus the slices that are done, so that clinics take
    turns and a short wish is not kept waiting by a long one."""
    if run.phase is not Phase.SYNC or run.next_day is None:
        return 0
    done = (date.fromisoformat(run.next_day) - days_of(run).first).days
    return -(done // _DAYS.get(run.kind, 1))
