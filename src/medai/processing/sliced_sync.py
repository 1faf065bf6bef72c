"""Reading the days of a run from the CRM, a slice at a time, so that it survives restarts."""

from collections import Counter
from datetime import date, timedelta
from time import monotonic
from typing import Any

from medai.calls.repository import CallRepository
from medai.clinics.repository import ClinicRepository
from medai.infra.documents import Range
from medai.kit.clock import Clock
from medai.kit.days import DayRange, business_day, zone
from medai.processing.day_outcomes import SKIPPED, DayOutcome, DayStatus, failed_day, outcome_of
from medai.processing.runs import Run, RunKind, Runs
from medai.processing.schedule.rules import RESCAN_DAYS
from medai.processing.slices import next_slice, unread
from medai.processing.syncs import Syncs, statistics

_ONE_DAY = timedelta(days=1)


class SlicedSync:
    """Reads slices and keeps what came of them in the run. Raises as `Syncs.run`."""

    def __init__(
        self,
        *,
        syncs: Syncs,
        runs: Runs,
        calls: CallRepository,
        clinics: ClinicRepository,
        clock: Clock,
    ) -> None:
        self._syncs = syncs
        self._runs = runs
        self._calls = calls
        self._clinics = clinics
        self._clock = clock

    async def read(self, run: Run) -> Run | None:
        """Read the run's next slice; the run as stored then, None when it was cancelled."""
        if run.skip_known:
            run = await self._without_known(run)
        left = unread(run)
        if left is None:
            return await self._stored(run, {})
        days = next_slice(run, left)
        return await self._stored(run, {**await self._brought(run, days), **_after(days)})

    async def _brought(self, run: Run, days: DayRange) -> dict[str, Any]:
        """Sync the days; what the run remembers of them."""
        started = monotonic()
        result = await self._syncs.run(str(run.client_id), days)
        # Whoever was killed in the middle of these days had stored some of their calls.
        saved = min((await self._since(run, days)).get(None, 0), result.kept)
        result.created_kept = max(result.created_kept, saved)
        if run.kind == RunKind.BULK:
            outcome = await self._outcome(run, days, saved, monotonic() - started)
            return _with_outcomes(run, {days.first: outcome})
        counted = statistics(result)
        return {"statistics": {**counted, **(Counter(run.statistics) + Counter(counted))}}

    async def give_up_day(self, run: Run, message: str) -> Run | None:
        """Leave out the day that cannot be read and go on with the next one."""
        run = await self._runs.require(run.id)  # known days may have been skipped before it
        left = unread(run)
        if left is None:
            return run
        day = DayRange(left.first, left.first)
        fields = _with_outcomes(run, {left.first: failed_day()})
        return await self._stored(run, {**fields, **_after(day), "trouble": message})

    async def _without_known(self, run: Run) -> Run:
        """The run with the days at its beginning skipped that were stored before it."""
        left = unread(run)
        if left is None:
            return run
        before = {"stored_at": Range(below=run.started_at)}
        known = await self._calls.count_by("business_day", run.client_id, left, before)
        still_open = await self._first_open_day(run)
        skipped = []
        for day in left:
            if day >= still_open or not known.get(day.isoformat()):
                break
            skipped.append(day)
        if not skipped:
            return run
        fields = _with_outcomes(run, dict.fromkeys(skipped, SKIPPED))
        fields |= _after(DayRange(skipped[0], skipped[-1]))
        return await self._stored(run, fields) or run

    async def _first_open_day(self, run: Run) -> date:
        """Calls of days from this one on may still appear or change (design 5.1)."""
        clinic = await self._clinics.require(str(run.client_id))
        today = business_day(self._clock(), zone(clinic.timezone))
        return today - timedelta(days=RESCAN_DAYS)

    async def _since(self, run: Run, days: DayRange) -> dict[Any, int]:
        """Calls of the days stored since the run began, by why they are skipped."""
        since = {"stored_at": Range(at_least=run.started_at)}
        return await self._calls.count_by("skip_reason", run.client_id, days, since)

    async def _outcome(self, run: Run, days: DayRange, saved: int, seconds: float) -> DayOutcome:
        calls = self._calls.of_days(run.client_id, days)
        facts = [(call.lead_id, call.skip_reason) async for call in calls]
        return outcome_of(facts, saved, round(seconds, 2))

    async def _stored(self, run: Run, fields: dict[str, Any]) -> Run | None:
        done = await self._runs.change(run.id, attempts=0, next_try_at=None, error="", **fields)
        return await self._runs.get(run.id) if done else None


def _after(days: DayRange) -> dict[str, Any]:
    return {"next_day": (days.last + _ONE_DAY).isoformat()}


def _with_outcomes(run: Run, added: dict[date, DayOutcome]) -> dict[str, Any]:
    """The fields of the run that change with these outcomes."""
    outcomes = {**run.outcomes, **{day.isoformat(): one for day, one in added.items()}}
    return {
        "outcomes": {day: one.model_dump(mode="json") for day, one in outcomes.items()},
        "statistics": {
            "days": len(outcomes),
            "days_failed": sum(one.status is DayStatus.FAILED for one in outcomes.values()),
            "calls_saved": sum(one.calls_saved for one in outcomes.values()),
        },
    }
