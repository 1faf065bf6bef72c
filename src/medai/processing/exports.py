"""Metrics into PostgreSQL: due days only, each replaced as a whole (design 5.9)."""

from collections import Counter
from collections.abc import Sequence

import structlog

from medai.analysis.recommendations.models import Conclusions
from medai.analysis.recommendations.repository import ConclusionsRepository
from medai.calls.models import Call, Stage
from medai.calls.repository import CallRepository
from medai.datalens.days import DueDay, ExportDays
from medai.datalens.postgres_exporter import DayExport, PostgresExporter
from medai.datalens.tables import RECOMMENDATIONS
from medai.infra.documents import OneOf
from medai.kit.days import DayRange
from medai.metrics.criteria import criterion_rows
from medai.metrics.daily import daily_rows
from medai.metrics.details import detail_rows
from medai.metrics.rows import RecommendationRow
from medai.processing.links import SignedLinks

_log = structlog.get_logger(__name__)

_ANALYSED = OneOf((Stage.ANALYSED.value, Stage.EXPORTED.value))


class Exports:
    """Writes the metrics of changed days and remembers what was written."""

    def __init__(
        self,
        calls: CallRepository,
        days: ExportDays,
        conclusions: ConclusionsRepository,
        exporter: PostgresExporter,
        links: SignedLinks,
    ) -> None:
        self._calls = calls
        self._days = days
        self._conclusions = conclusions
        self._exporter = exporter
        self._links = links

    async def export(self, client_id: str | None, *, full: bool = False) -> dict[str, int]:
        """Export every due day of one clinic or of all; returns rows written per table.

        `full` writes every known day again. Days stay due when their write fails, so a later run
        completes them. Raises StoreError, ConflictError while another export runs.
        """
        if full:
            await self._days.touch_all(client_id)
        await self._find_forgotten(client_id)
        written: Counter[str] = Counter()
        due = [day async for day in self._days.due(client_id)]
        for day in due:
            written.update(await self._export_day(day))
        written.update(await self._export_conclusions(client_id))
        _log.info("metrics exported", days=len(due), rows=dict(written))
        return dict(written)

    async def make_all_due(self) -> int:
        """Have every known day of all clinics written again by the next export; returns how many
        were not due. Raises StoreError."""
        return await self._days.touch_all(None)

    async def _find_forgotten(self, client_id: str | None) -> None:
        """Days of analysed calls are due, even if their worker died before it could say so."""
        analysed = self._calls.of_days(client_id, None, where={"stage": Stage.ANALYSED.value})
        for of_clinic, day in {(call.client_id, call.business_day) async for call in analysed}:
            await self._days.make_due(of_clinic, day)

    async def _export_day(self, day: DueDay) -> dict[str, int]:
        only = DayRange(day.day, day.day)
        found = self._calls.of_days(day.client_id, only, where={"stage": _ANALYSED})
        calls = [call async for call in found]
        written = await self._exporter.replace_days([self._rows(day, calls)])
        await self._mark_exported(calls)
        await self._days.exported(day)
        return written

    async def _export_conclusions(self, client_id: str | None) -> dict[str, int]:
        """All stored conclusions, fifty-odd a year and clinic; unchanged rows are not written."""
        rows = [_recommendation_row(each) async for each in self._conclusions.of(client_id)]
        written = await self._exporter.upsert_recommendations(rows) if rows else 0
        return {RECOMMENDATIONS.name: written} if written else {}

    def _rows(self, day: DueDay, calls: Sequence[Call]) -> DayExport:
        return DayExport(
            client_id=day.client_id,
            day=day.day,
            daily=daily_rows(calls),
            criteria=criterion_rows(calls),
            details=detail_rows(calls, self._links),
        )

    async def _mark_exported(self, calls: Sequence[Call]) -> None:
        fresh = [call.id for call in calls if call.stage is Stage.ANALYSED]
        analysed = {"stage": Stage.ANALYSED.value}
        await self._calls.change_many(fresh, {"stage": Stage.EXPORTED.value}, where=analysed)


def _recommendation_row(each: Conclusions) -> RecommendationRow:
    return RecommendationRow(
        client_id=each.client_id,
        start_date=each.first,
        end_date=each.last,
        period_type=each.period_type,
        summary_points=each.summary_points,
        overall_summary=each.overall_summary,
    )
