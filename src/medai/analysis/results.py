"""What follows from an analysis without asking anybody again: short form, late bookings."""

from medai.analysis.models import CallAnalysis
from medai.analysis.scoring import booking_score, overall_score
from medai.calls.models import Analysis


def summary(analysis: CallAnalysis) -> Analysis:
    """The part that lives on the call itself: scores without proof (contract 2.1)."""
    return Analysis(
        call_type_id=analysis.call_type,
        call_type=analysis.call_type.label,
        scores={each.key: each.score for each in analysis.criteria},
        overall=analysis.overall,
        recommendations=analysis.recommendations,
        needs_review=analysis.needs_review,
        scorecard_version=analysis.scorecard_version,
        model=analysis.model,
        analysed_at=analysis.analysed_at,
    )


def with_booking(
    analysis: CallAnalysis, *, booked: bool | None, count_not_applicable_as_zero: bool
) -> CallAnalysis:
    """The same analysis after the CRM changed its mind about the booking (design 5.3).

    Costs no request: only the criteria that the CRM decides and the overall score change.
    """
    criteria = tuple(
        booking_score(each.key, each.name, booked=booked) if each.decided_by == "crm" else each
        for each in analysis.criteria
    )
    overall = overall_score(criteria, count_not_applicable_as_zero=count_not_applicable_as_zero)
    return analysis.model_copy(update={"criteria": criteria, "overall": overall})
