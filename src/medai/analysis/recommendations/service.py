"""Conclusions of weeks and months: asked for once, stored, shown from then on (contract 7)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime, timedelta

from medai.analysis.ports import LanguageModel
from medai.analysis.recommendations.models import Conclusions, PeriodType
from medai.analysis.recommendations.prompting import month_prompt, week_prompt
from medai.analysis.recommendations.repository import ConclusionsRepository
from medai.analysis.recommendations.sampling import Sample, Sampler
from medai.analysis.recommendations.shapes import month_shape, week_shape
from medai.analysis.recommendations.tally import Tally, apart, means_of_weeks
from medai.analysis.recommendations.writing import month_summary, points, week_summary
from medai.analysis.session import Session
from medai.calls.models import Stage
from medai.calls.repository import CallRepository
from medai.infra.documents import OneOf
from medai.kit.clock import Clock
from medai.kit.days import DayRange
from medai.ledger.models import Subject

Hold = Callable[[str], AbstractAsyncContextManager[None]]
"""A lock by name, held by one worker of the whole installation."""

_ANALYSED = {"stage": OneOf((Stage.ANALYSED.value, Stage.EXPORTED.value))}


class RecommendationService:
    """Concludes from recommendations and scores. Whether the clinic exists is the door's business.

    `weekly` and `monthly` raise the provider errors of `ports.LanguageModel` and StoreError; then
    what was stored before stays.
    """

    def __init__(
        self,
        model: LanguageModel,
        repository: ConclusionsRepository,
        calls: CallRepository,
        hold: Hold,
        clock: Clock,
    ) -> None:
        self._model = model
        self._repository = repository
        self._calls = calls
        self._hold = hold
        self._clock = clock

    async def weekly(
        self, client_id: str, first: date, last: date, *, force_refresh: bool = False
    ) -> Conclusions:
        """Conclusions from the analysed calls of exactly these days; one request at most.

        A period without scored calls gives an empty result, which is not stored.
        """
        empty = _empty(client_id, "weekly", first, last)
        return await self._once(empty, self._concluded_week, force_refresh=force_refresh)

    async def monthly(
        self, client_id: str, year: int, month: int, *, force_refresh: bool = False
    ) -> Conclusions:
        """Conclusions from the stored weekly ones that begin in a month (1-12)."""
        first = date(year, month, 1)
        last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        empty = _empty(client_id, "monthly", first, last)
        return await self._once(empty, self._concluded_month, force_refresh=force_refresh)

    async def stored(
        self, client_id: str, period_type: PeriodType, first: date, last: date
    ) -> Conclusions | None:
        """What is stored for a period; asks nobody."""
        return await self._repository.get(client_id, period_type, first, last)

    def all_of(self, client_id: str | None) -> AsyncIterator[Conclusions]:
        """All stored conclusions of a clinic, or of all, by first day."""
        return self._repository.of(client_id)

    async def overall_summary(self, client_id: str, days: DayRange) -> str:
        """The stored summary for exactly these days, weekly or monthly, "" without one."""
        kinds: tuple[PeriodType, ...] = ("weekly", "monthly")
        for kind in kinds:
            if found := await self.stored(client_id, kind, days.first, days.last):
                return found.overall_summary
        return ""

    async def _once(
        self,
        empty: Conclusions,
        conclude: Callable[[Conclusions], Awaitable[Conclusions]],
        *,
        force_refresh: bool,
    ) -> Conclusions:
        """The stored conclusions, or new ones: whoever asks meanwhile waits for the same."""
        key = (empty.client_id, empty.period_type, empty.first, empty.last)
        asked_at = self._clock()
        if not force_refresh and (known := await self._repository.get(*key)):
            return known
        async with self._hold("conclusions:" + ":".join(map(str, key))):
            known = await self._repository.get(*key)
            if known and not (force_refresh and _is_older(known, asked_at)):
                return known
            made = await conclude(empty)
            if made.is_empty:
                await self._repository.delete(*key)
            else:
                await self._repository.save(made)
            return made

    async def _concluded_week(self, empty: Conclusions) -> Conclusions:
        tally, sample = await self._read(empty.client_id, DayRange(empty.first, empty.last))
        means = tally.means()
        if not means:
            return empty
        session = Session(self._model, Subject(client_id=empty.client_id))
        prompt = week_prompt(empty.first, empty.last, tally.calls, means, sample)
        answer = await session.ask(prompt, week_shape(tuple(each.key for each in means)))
        period = (empty.first, empty.last)
        return self._made(
            empty,
            session,
            summary_points=points(
                answer.summary_points, means, (each.text for each in sample.advice)
            ),
            overall_summary=week_summary(answer, period, tally.calls, means, sample),
            means=means,
            calls=tally.calls,
            sampled_calls=sample.calls,
        )

    async def _concluded_month(self, empty: Conclusions) -> Conclusions:
        weeks = apart(await self._repository.weeks_from(empty.client_id, empty.first, empty.last))
        means = means_of_weeks(weeks)
        if not means:
            return empty
        calls = sum(week.calls for week in weeks)
        texts = [text for week in weeks for text in (*week.summary_points, week.overall_summary)]
        session = Session(self._model, Subject(client_id=empty.client_id))
        prompt = month_prompt(empty.first, calls, means, weeks)
        answer = await session.ask(prompt, month_shape(tuple(each.key for each in means)))
        return self._made(
            empty,
            session,
            summary_points=points(answer.summary_points, means, texts),
            overall_summary=month_summary(answer, (empty.first, empty.last), calls, means, texts),
            means=means,
            calls=calls,
            weekly_analyses_count=len(weeks),
        )

    async def _read(self, client_id: str, days: DayRange) -> tuple[Tally, Sample]:
        """One pass over the analysed calls; memory does not grow with them."""
        tally, sampler = Tally(), Sampler()
        async for call in self._calls.of_days(client_id, days, where=_ANALYSED):
            if call.analysis is not None:
                tally.add(call.analysis)
                sampler.add(call.id, call.administrator, call.analysis.recommendations)
        return tally, sampler.sample()

    def _made(self, empty: Conclusions, session: Session, **found: object) -> Conclusions:
        origin = {
            "model": session.model,
            "prompt_hash": session.prompt_hash,
            "usage": session.usage,
            "created_at": self._clock(),
        }
        return empty.model_copy(update={**found, **origin})


def _is_older(known: Conclusions, moment: datetime) -> bool:
    """Made before the moment: somebody who asks for fresh ones at the same time shares ours."""
    return known.created_at is None or known.created_at <= moment


def _empty(client_id: str, period_type: PeriodType, first: date, last: date) -> Conclusions:
    period = f"с {first:%d.%m.%Y} по {last:%d.%m.%Y}"
    return Conclusions(
        client_id=client_id,
        period_type=period_type,
        first=first,
        last=last,
        overall_summary=f"За период {period} нет данных для выводов: {_MISSING[period_type]}.",
    )


_MISSING: dict[PeriodType, str] = {
    "weekly": "нет оценённых звонков",
    "monthly": "нет выводов по неделям этого месяца",
}
