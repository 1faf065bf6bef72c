"""An analysis in the shapes that old clients read (contract 1.3).

Scores are those on the call, which follow the CRM; comments live with the evidence.
"""

from zoneinfo import ZoneInfo

from medai.analysis.models import CallAnalysis, CallType
from medai.analysis.scorecards import CRITERION_NAMES
from medai.api.routers.analysis_shapes import (
    AnalysisResults,
    CallAnalysed,
    CallScores,
    CallTypeShown,
    CriterionResult,
    NamedScore,
)
from medai.calls.models import Analysis, Call

_NAMES = {**CRITERION_NAMES, "patient_booking": "Запись пациента"}
"""This route alone calls the booking so (contract 3)."""


def analysed(call_id: str, analysis: Analysis, stored: CallAnalysis | None) -> CallAnalysed:
    """Answer of analyze-call-new; `stored` is missing for analyses of the replaced system."""
    explanation = stored.explanation if stored else ""
    shown = CallTypeShown(
        call_type_id=analysis.call_type_id, call_type=analysis.call_type, explanation=explanation
    )
    return CallAnalysed(
        success=True,
        call_id=call_id,
        call_type=shown,
        analysis_results=_results(analysis, stored, explanation),
    )


def scores(
    call: Call,
    analysis: Analysis,
    stored: CallAnalysis | None,
    *,
    tz: ZoneInfo,
    transcription_url: str | None,
) -> CallScores:
    """Answer of call/scores. `tz` is the clinic's zone."""
    comments = _comments(stored)
    return CallScores(
        call_id=call.id,
        note_id=call.note_id,
        client_id=call.client_id,
        call_type=analysis.call_type,
        call_type_id=analysis.call_type_id,
        administrator=call.administrator,
        created_date=f"{call.started_at.astimezone(tz):%Y-%m-%d %H:%M:%S}",
        overall_score=analysis.overall,
        conversion=call.converted,
        scores={
            key: NamedScore(name=_NAMES.get(key, key), score=score, comment=comments.get(key))
            for key, score in analysis.scores.items()
            if score is not None
        },
        unscored=_unscored(analysis, comments),
        recommendations=list(analysis.recommendations),
        transcription_url=transcription_url,
    )


def _results(analysis: Analysis, stored: CallAnalysis | None, explanation: str) -> AnalysisResults:
    comments = _comments(stored)
    criteria = {
        key: CriterionResult(score=score, comment=comments.get(key))
        for key, score in analysis.scores.items()
        if score is not None
    }
    is_other = analysis.call_type_id == CallType.OTHER
    return AnalysisResults(
        call_type=analysis.call_type,
        overall_score=analysis.overall,
        recommendations=list(analysis.recommendations),
        unscored=_unscored(analysis, comments),
        **({"call_reason": explanation} if is_other else {}),
        **criteria,
    )


def _comments(stored: CallAnalysis | None) -> dict[str, str]:
    return {each.key: each.comment for each in stored.criteria} if stored else {}


def _unscored(analysis: Analysis, comments: dict[str, str]) -> dict[str, str]:
    return {key: comments.get(key, "") for key, score in analysis.scores.items() if score is None}
