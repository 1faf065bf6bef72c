"""Conclusions in the document store, under the field names of contract 2.2."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

from medai.analysis.models import Usage
from medai.analysis.recommendations.models import Conclusions, CriterionMean, PeriodType, Zone
from medai.analysis.scorecards import CRITERION_NAMES
from medai.infra.documents import Collection, Document, Documents, Range
from medai.kit.ids import stable_id

CONCLUSIONS = Collection(
    "recommendation_analysis_results",
    unique=(("client_id", "period_type", "start_date", "end_date"),),
)


class ConclusionsRepository:
    """One document per clinic, kind and exact period. Every method raises StoreError."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def get(
        self, client_id: str, period_type: PeriodType, first: date, last: date
    ) -> Conclusions | None:
        """The stored conclusions, or None."""
        found = await self._document(client_id, period_type, first, last)
        return _conclusions(found) if found else None

    async def save(self, conclusions: Conclusions) -> None:
        """Write or replace the conclusions of their period."""
        known = await self._document(*_key(conclusions))
        doc_id = known["_id"] if known else stable_id("conclusions", *map(str, _key(conclusions)))
        await self._documents.put_many(CONCLUSIONS, [{"_id": doc_id, **fields_of(conclusions)}])

    async def delete(
        self, client_id: str, period_type: PeriodType, first: date, last: date
    ) -> None:
        """Forget the conclusions of a period that turned out to be empty."""
        await self._documents.delete(CONCLUSIONS, _where(client_id, period_type, first, last))

    async def weeks_from(self, client_id: str, first: date, last: date) -> list[Conclusions]:
        """Weekly conclusions whose first day lies between two days; a month has a few."""
        starts = Range(at_least=first.isoformat(), at_most=last.isoformat())
        where = {"client_id": client_id, "period_type": "weekly", "start_date": starts}
        return [each async for each in self._find(where)]

    def of(self, client_id: str | None) -> AsyncIterator[Conclusions]:
        """All conclusions of a clinic, or of all clinics, by first day."""
        return self._find({} if client_id is None else {"client_id": client_id})

    async def _find(self, where: dict[str, Any]) -> AsyncIterator[Conclusions]:
        sort = (("start_date", 1), ("end_date", 1))
        async for document in self._documents.find(CONCLUSIONS, where, sort=sort):
            yield _conclusions(document)

    async def _document(
        self, client_id: str, period_type: PeriodType, first: date, last: date
    ) -> Document | None:
        where = _where(client_id, period_type, first, last)
        async for found in self._documents.find(CONCLUSIONS, where, sort=(("_id", 1),), limit=1):
            return found
        return None


def _key(each: Conclusions) -> tuple[str, PeriodType, date, date]:
    return each.client_id, each.period_type, each.first, each.last


def _where(client_id: str, period_type: PeriodType, first: date, last: date) -> dict[str, Any]:
    return {
        "client_id": client_id,
        "period_type": period_type,
        "start_date": first.isoformat(),
        "end_date": last.isoformat(),
    }


def fields_of(each: Conclusions) -> Document:
    """The stored form without its id."""
    return {
        **_where(*_key(each)),
        "analysis_data": {
            "summary_points": list(each.summary_points),
            "overall_summary": each.overall_summary,
        },
        "avg_scores": {mean.key: mean.score for mean in each.means},
        "score_counts": {mean.key: mean.count for mean in each.means},
        "week_scores": {mean.key: list(mean.weeks) for mean in each.means if mean.weeks},
        "classification": {
            zone.value: [
                {"key": mean.key, "name": mean.name, "score": mean.score}
                for mean in each.means
                if mean.zone is zone
            ]
            for zone in Zone
        },
        "weekly_analyses_count": each.weekly_analyses_count,
        "summary_analyze_status": "success",
        "calls": each.calls,
        "sampled_calls": each.sampled_calls,
        "model": each.model,
        "prompt_hash": each.prompt_hash,
        "usage": each.usage.model_dump(),
        "created_at": each.created_at,
    }


def _conclusions(document: Document) -> Conclusions:
    """The model behind a document; one of the replaced system has no counts."""
    data = document["analysis_data"]
    return Conclusions(
        client_id=document["client_id"],
        period_type=document["period_type"],
        first=date.fromisoformat(document["start_date"]),
        last=date.fromisoformat(document["end_date"]),
        summary_points=tuple(data["summary_points"]),
        overall_summary=data["overall_summary"],
        means=_means(document),
        calls=document.get("calls", 0),
        sampled_calls=document.get("sampled_calls", 0),
        weekly_analyses_count=document.get("weekly_analyses_count", 0),
        model=document.get("model", ""),
        prompt_hash=document.get("prompt_hash", ""),
        usage=Usage(**document.get("usage", {})),
        created_at=document["created_at"],
    )


def _means(document: Document) -> tuple[CriterionMean, ...]:
    """In order of display: JSONB does not keep the order of keys."""
    scores = document.get("avg_scores", {})
    counts = document.get("score_counts", {})
    weeks = document.get("week_scores", {})
    known = [key for key in CRITERION_NAMES if key in scores]
    return tuple(
        CriterionMean(
            key=key,
            name=CRITERION_NAMES.get(key, key),
            score=scores[key],
            count=counts.get(key, 1),
            weeks=tuple(weeks.get(key, ())),
        )
        for key in [*known, *sorted(set(scores).difference(known))]
    )
