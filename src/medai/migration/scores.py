"""The analysis of an old call (contract 2.1, 7). Pure.

Nothing is judged anew: scores and the overall score stay as boards have shown them. Only criteria
of the call's type are scores; names of earlier versions (`tone`, `call_closing`, …) and values
that are no scores stay under `legacy`.
"""

from dataclasses import dataclass
from typing import Any

from medai.analysis.models import CallType
from medai.analysis.scorecards import scorecard
from medai.calls.models import Analysis
from medai.migration.models import Raw
from medai.migration.values import first, moment, number, text, texts, whole

OLD_VERSION = "old"
"""Scorecard and model of analyses that were made before."""
_TYPES = {kind.label: kind for kind in CallType}
_NOT_SCORES = frozenset({"overall_score", "conversion", "call_type_classification", "duration"})
_HIGHEST = 10


@dataclass(frozen=True, slots=True)
class OldAnalysis:
    """The analysis, None when there is none; `metrics` are those that were not taken over."""

    analysis: Analysis | None
    metrics: dict[str, Any]
    oddities: tuple[str, ...] = ()


def old_analysis(raw: Raw, otherwise_at: Any) -> OldAnalysis:
    """The analysis of a call; `otherwise_at` is its moment when nothing tells it."""
    metrics = raw.get("metrics")
    metrics = metrics if isinstance(metrics, dict) else {}
    rest = {key: value for key, value in metrics.items() if key not in _NOT_SCORES}
    kind = _type(raw, metrics)
    overall = number(metrics.get("overall_score"))
    is_done = overall is not None or (
        kind is CallType.OTHER and text(raw.get("analyze_status")) == "success"
    )
    if not is_done:
        said = text(raw.get("analyze_status")) == "success" or raw.get("analysis_id")
        return OldAnalysis(None, rest, ("analysis_without_scores",) if said else ())
    if kind is None:
        kept = {**rest, "overall_score": overall, "call_type_classification": _label(raw, metrics)}
        return OldAnalysis(None, kept, ("analysis_without_call_type",))
    scores = {key: _score(rest.get(key)) for key in scorecard(kind).keys if key in rest}
    valid = {key: score for key, score in scores.items() if score is not None}
    left = {key: value for key, value in rest.items() if key not in valid}
    oddities = ["old_metric_names"] if set(left) - set(scores) else []
    oddities += ["unreadable_scores"] if len(valid) < len(scores) else []
    made = Analysis(
        call_type_id=int(kind),
        call_type=kind.label,
        scores=dict(valid),
        overall=_overall(overall, list(valid.values())),
        recommendations=texts(raw.get("recommendations")),
        needs_review=False,
        scorecard_version=OLD_VERSION,
        model=OLD_VERSION,
        analysed_at=first(moment(raw.get("analyzed_at")), otherwise_at),
    )
    return OldAnalysis(made, left, tuple(oddities))


def analysis_file(raw: Raw) -> str:
    """The analysis file's name: `analysis_id`, or `analysis` of documents in which `analysis_id`
    held an ObjectId (contract 2.1)."""
    for name in ("analysis_id", "analysis", "filename_analysis"):
        found = text(raw.get(name))
        if found.endswith(".txt"):
            return found
    return ""


def _type(raw: Raw, metrics: dict[str, Any]) -> CallType | None:
    found = whole(raw.get("call_type_id"))
    if found in {int(kind) for kind in CallType}:
        return CallType(found)
    return _TYPES.get(_label(raw, metrics).lower())


def _label(raw: Raw, metrics: dict[str, Any]) -> str:
    return text(raw.get("call_type_name")) or text(metrics.get("call_type_classification"))


def _score(value: Any) -> int | None:
    found = whole(value)
    return found if found is not None and 0 <= found <= _HIGHEST else None


def _overall(stored: float | None, scores: list[int]) -> float:
    if stored is not None and 0 <= stored <= _HIGHEST:
        return stored
    return round(sum(scores) / len(scores), 2) if scores else 0.0
