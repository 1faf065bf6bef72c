"""Old recommendation results (contract 2.2) as our conclusions. Pure."""

from typing import Any

from medai.analysis.recommendations.models import Conclusions, CriterionMean, PeriodType
from medai.analysis.recommendations.repository import fields_of
from medai.analysis.scorecards import CRITERION_NAMES
from medai.migration.models import Context, Converted, Raw, Refused, id_of, left_over
from medai.migration.values import day, first, moment, number, plain, text, texts, whole

_USED = frozenset(
    {
        "client_id", "start_date", "end_date", "period_type", "analysis_data", "avg_scores",
        "classification", "weekly_analyses_count", "summary_analyze_status", "created_at",
    }
)  # fmt: skip
_HIGHEST = 10.0


def conclusions(raw: Raw, context: Context) -> Converted | Refused:
    """The conclusions of a period; one without `period_type` is weekly."""
    client_id = text(raw.get("client_id"))
    place = context.place(client_id)
    starts, ends = day(raw.get("start_date"), place.tz), day(raw.get("end_date"), place.tz)
    if not client_id or starts is None or ends is None:
        return Refused("conclusions_without_clinic_or_period")
    data = raw.get("analysis_data")
    data = data if isinstance(data, dict) else {}
    made = Conclusions(
        client_id=place.client_id,
        period_type=_kind(raw),
        first=starts,
        last=ends,
        summary_points=texts(data.get("summary_points")),
        overall_summary=_markdown(data.get("overall_summary")),
        means=tuple(_means(raw.get("avg_scores"))),
        weekly_analyses_count=whole(raw.get("weekly_analyses_count")) or 0,
        created_at=first(moment(raw.get("created_at")), context.now),
    )
    document = {"_id": id_of(raw), **fields_of(made), "legacy": left_over(raw, _USED)}
    newest = made.created_at.timestamp() if made.created_at else 0.0
    return Converted(document, key_of(raw, context), (bool(made.overall_summary), newest))


def key_of(raw: Raw, context: Context) -> tuple[str, ...]:
    """Clinic, kind and exact period, in the order of the collection's unique key."""
    place = context.place(text(raw.get("client_id")))
    days = (str(day(raw.get(name), place.tz)) for name in ("start_date", "end_date"))
    return place.client_id, _kind(raw), *days


def _kind(raw: Raw) -> PeriodType:
    return "monthly" if raw.get("period_type") == "monthly" else "weekly"


def _markdown(value: Any) -> str:
    """The text with its line breaks."""
    return value.strip() if isinstance(value, str) else ""


def _means(value: Any) -> list[CriterionMean]:
    found = plain(value).items() if isinstance(value, dict) else ()
    scores = ((text(key), number(score)) for key, score in found)
    return [
        CriterionMean(key=key, name=CRITERION_NAMES.get(key, key), score=round(score, 1), count=1)
        for key, score in scores
        if key and score is not None and 0 <= score <= _HIGHEST
    ]
