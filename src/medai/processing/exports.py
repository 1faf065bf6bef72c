"""Metrics into PostgreSQL: due days only, each replaced as a whole (design 5.9)."""

import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import aclosing
from datetime import date

import structlog
from pydantic import ValidationError

from medai.analysis.recommendations.models import Conclusions
from medai.analysis.recommendations.repository import ConclusionsRepository
from medai.calls.models import Stage
from medai.calls.repository import CallRepository
from medai.clinics.models import Clinic
from medai.clinics.repository import ClinicRepository
from medai.datalens.days import DueDay, ExportDays
from medai.datalens.errors import MetricsExportError
from medai.datalens.postgres_exporter import PostgresExporter
from medai.datalens.tables import CRITERIA, DAILY, DETAILS, FUNNEL, QUOTA, RECOMMENDATIONS
from medai.datalens.turns import Waiting
from medai.errors import ConflictError, StoredDataError, StoreError
from medai.infra.documents import Where
from medai.kit.ahead import one_ahead
from medai.kit.clock import Clock
from medai.kit.days import DayRange
from medai.metrics.quota import past_quota_rows, quota_rows
from medai.metrics.rows import QuotaRow, RecommendationRow
from medai.metrics.tally import Tally
from medai.processing.export_parts import CountedDays, in_parts
from medai.processing.links import SignedLinks

_log = structlog.get_logger(__name__)

_COLUMN = re.compile(r"column \w+")
"""Of PostgreSQL's 'COPY staging_…, line 1, column total_calls: "…"'."""


class Exports:
    """Writes the metrics of changed days and remembers what was written."""

    def __init__(
        self,
        calls: CallRepository,
        days: ExportDays,
        conclusions: ConclusionsRepository,
        clinics: ClinicRepository,
        exporter: PostgresExporter,
        links: SignedLinks,
        clock: Clock,
    ) -> None:
        self._calls = calls
        self._days = days
        self._conclusions = conclusions
        self._clinics = clinics
        self._exporter = exporter
        self._links = links
        self._clock = clock

    async def export(
        self, client_id: str | None, *, full: bool = False, waiting: Waiting | None = None
    ) -> dict[str, int]:
        """Export every due day of one clinic or of all; returns rows written per table.

        Waits until no other export runs; raises ConflictError when that takes too long;
        `waiting` is told for whom. `full` writes every known day again. Days stay due when
        their write fails, so a later run completes them. Raises StoreError, and at the end
        MetricsExportError if some days could not be written.
        """
        async with self._exporter.alone(waiting):
            if full:
                await self._days.touch_all(client_id)
            due = await self._due(client_id)
            written, failed = Counter[str](), list[DueDay]()
            for of_clinic, days in due.items():
                written.update(await self._export_clinic(of_clinic, days, failed))
            written.update(await self._export_conclusions(client_id))
            written.update(await self._export_quotas(client_id))
        _log.info("metrics exported", days=sum(map(len, due.values())), rows=dict(written))
        if failed:
            raise MetricsExportError(_unwritten(failed))
        return dict(written)

    async def make_all_due(self) -> int:
        """Have every known day of all clinics written again by the next export; returns how many
        were not due. Raises StoreError."""
        return await self._days.touch_all(None)

    async def _due(self, client_id: str | None) -> dict[str, list[DueDay]]:
        """Due days by clinic, in order."""
        found = [day async for day in self._days.due(client_id)]
        if await self._find_forgotten(client_id, {(day.client_id, day.day) for day in found}):
            found = [day async for day in self._days.due(client_id)]
        due = defaultdict(list)
        for day in found:
            due[day.client_id].append(day)
        return due

    async def _find_forgotten(self, client_id: str | None, due: set[tuple[str, date]]) -> bool:
        """Days of analysed calls are due, even if their worker died before it could say so."""
        analysed = {"stage": Stage.ANALYSED.value}
        if client_id is None:
            clinics = sorted(await self._calls.count_by("client_id", None, None, analysed))
        else:
            clinics = [client_id]
        forgotten = [
            (of_clinic, day)
            for of_clinic in clinics
            for day in await self._calls_per_day(of_clinic, None, analysed)
            if (of_clinic, day) not in due
        ]
        for of_clinic, day in forgotten:
            await self._days.touch(of_clinic, day)
        return bool(forgotten)

    async def _calls_per_day(
        self, client_id: str | None, days: DayRange | None, where: Where
    ) -> dict[date, int]:
        """How many of the clinic's calls each business day has."""
        found = await self._calls.count_by("business_day", client_id, days, where)
        return {date.fromisoformat(day): count for day, count in found.items()}

    async def _export_clinic(
        self, client_id: str, days: Sequence[DueDay], failed: list[DueDay]
    ) -> Counter[str]:
        span, sizes = DayRange(days[0].day, days[-1].day), dict[date, int]()
        if len(days) > 1:
            sizes = await self._calls_per_day(client_id, span, {})
        parts, written = [*in_parts(days, sizes)], Counter[str]()
        readings = one_ahead(self._count(client_id, part) for part in parts)
        async with aclosing(readings):
            for part in parts:
                reading = await anext(readings)
                written.update(await self._export_part(client_id, part, reading, failed))
        return written

    async def _export_part(
        self,
        client_id: str,
        days: Sequence[DueDay],
        reading: Awaitable[CountedDays],
        failed: list[DueDay],
    ) -> Counter[str]:
        """A day that cannot be read or written keeps no other from it; it stays due."""
        try:
            return await self._replace(client_id, days, await reading)
        except (StoreError, ConflictError):
            raise
        except Exception as error:  # noqa: BLE001 - told at the end, see `export`
            if len(days) == 1:
                which = {"client_id": client_id, "day": days[0].day.isoformat()}
                error_name, reason = type(error).__name__, _reason(error)
                _log.error("day not exported", error=error_name, reason=reason, **which)
                failed.extend(days)
                return Counter()
        written: Counter[str] = Counter()
        for day in days:
            again = self._count(client_id, [day])
            written.update(await self._export_part(client_id, [day], again, failed))
        return written

    async def _count(self, client_id: str, days: Sequence[DueDay]) -> CountedDays:
        """Read outside a transaction: no table is locked, however long the store takes."""
        wanted, counted = {day.day for day in days}, CountedDays(Tally(self._links))
        async for call in self._calls.of_days(client_id, DayRange(days[0].day, days[-1].day)):
            if call.business_day in wanted:
                counted.add(call)
        return counted

    async def _replace(
        self, client_id: str, days: Sequence[DueDay], counted: CountedDays
    ) -> Counter[str]:
        """One transaction. A day that changed since it was read stays due: its version is newer."""
        async with self._exporter.replacing(client_id, [day.day for day in days]) as replacement:
            await replacement.add(DETAILS, counted.details)
            await replacement.add(DAILY, counted.tally.daily.rows())
            await replacement.add(CRITERIA, counted.tally.criteria.rows())
            await replacement.add(FUNNEL, counted.tally.funnel.rows())
        analysed = {"stage": Stage.ANALYSED.value}
        await self._calls.change_many(
            counted.analysed, {"stage": Stage.EXPORTED.value}, where=analysed
        )
        await self._days.exported(days)
        return Counter(replacement.written)

    async def _export_conclusions(self, client_id: str | None) -> dict[str, int]:
        """All stored conclusions, fifty-odd a year and clinic; unchanged rows are not written."""
        rows = [_recommendation_row(each) async for each in self._conclusions.of(client_id)]
        written = await self._exporter.upsert_recommendations(rows) if rows else 0
        return {RECOMMENDATIONS.name: written} if written else {}

    async def _export_quotas(self, client_id: str | None) -> dict[str, int]:
        """The minutes of this and the last month and week; unchanged rows are not written."""
        now, present, past = self._clock(), list[QuotaRow](), list[QuotaRow]()
        async for clinic in self._clinics_of(client_id):
            present += quota_rows(clinic, now)
            past += past_quota_rows(clinic, now)
        written = await self._exporter.upsert_quotas(present, past) if present else 0
        return {QUOTA.name: written} if written else {}

    async def _clinics_of(self, client_id: str | None) -> AsyncIterator[Clinic]:
        if client_id is None:
            async for clinic in self._clinics.all():
                yield clinic
        elif found := await self._clinics.by_client_id(client_id):
            yield found


def _reason(error: Exception) -> str:
    """Where it went wrong, without the values: drivers and models quote names and phones."""
    if isinstance(error, StoredDataError):
        return error.message
    if isinstance(error, ValidationError):
        return ", ".join(".".join(map(str, one["loc"])) for one in error.errors())
    diagnosis = getattr(error, "diag", None)
    if diagnosis is None:
        return ""
    found = _COLUMN.search(diagnosis.context or "")
    column = f"column {diagnosis.column_name}" if diagnosis.column_name else ""
    constraint = f"constraint {diagnosis.constraint_name}" if diagnosis.constraint_name else ""
    named = [diagnosis.table_name, found[0] if found else column, constraint]
    return " ".join(filter(None, named))


def _unwritten(failed: Sequence[DueDay]) -> str:
    first = f"{failed[0].day:%d.%m.%Y}, клиника {failed[0].client_id}"
    return (
        f"Дней не выгружено: {len(failed)} (первый: {first}), остальные записаны."
        " Причина в журнале: исправьте её и повторите medai export"
    )


def _recommendation_row(each: Conclusions) -> RecommendationRow:
    return RecommendationRow(
        client_id=each.client_id,
        start_date=each.first,
        end_date=each.last,
        period_type=each.period_type,
        summary_points=each.summary_points,
        overall_summary=each.overall_summary,
    )
