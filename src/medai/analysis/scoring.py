"""From the model's answers to scores that may be stored: rules of contract 7 and design 5.8."""

from collections.abc import Iterable, Mapping, Sequence

from medai.analysis.criterion import Criterion
from medai.analysis.evidence import Found, Quotes
from medai.analysis.models import CriterionScore
from medai.analysis.scorecards import Scorecard
from medai.analysis.shapes import CriterionAnswer
from medai.transcription.models import Transcript

HIGHEST = 10
_BOOKING_SCORES = {True: HIGHEST, False: 0, None: None}
_BOOKING_COMMENTS = {
    True: "В CRM есть запись на приём",
    False: "В CRM нет записи на приём",
    None: "Звонок не из CRM: о записи ничего не известно",
}
_BINARY_BORDER = 5
"""Contract 7: below it 0, from it on 10."""
_OVERALL_DIGITS = 4
"""Boards add overall scores up: two decimals would show in their sums."""


def judged(
    card: Scorecard,
    answers: Mapping[str, CriterionAnswer],
    transcript: Transcript,
    *,
    booked: bool | None,
) -> tuple[CriterionScore, ...]:
    """All criteria of the card in its order, each with verified proof or marked for review."""
    quotes = Quotes(transcript)
    window = searched_window(transcript)
    return tuple(
        booking_score(each.key, each.name, booked=booked)
        if each.decided_by_crm
        else _judged_one(each, answers.get(each.key), quotes, window)
        for each in card.criteria
    )


def unproven(scores: Iterable[CriterionScore]) -> tuple[str, ...]:
    """Keys worth a second question: a score without a quote that holds, or no score at all."""
    return tuple(each.key for each in scores if each.needs_review and not each.evidence)


def merged(
    first: Sequence[CriterionScore], second: Iterable[CriterionScore]
) -> tuple[CriterionScore, ...]:
    """The first scores with those of the second question in the place of the unproven ones."""
    again = {each.key: each for each in second}
    asked = set(unproven(first))
    return tuple(again[each.key] if each.key in asked else each for each in first)


def overall_score(scores: Iterable[CriterionScore], *, count_not_applicable_as_zero: bool) -> float:
    """The mean of the criteria, 0-10, four decimals; 0.0 when nothing is applicable.

    Not applicable criteria are left out, or count as zero as the replaced system did.
    """
    values = [each.score for each in scores]
    counted = [value or 0 for value in values if value is not None or count_not_applicable_as_zero]
    return round(sum(counted) / len(counted), _OVERALL_DIGITS) if counted else 0.0


def booking_score(key: str, name: str, *, booked: bool | None) -> CriterionScore:
    """10 or 0 by the CRM, never by the model (contract 7); None without a CRM."""
    return CriterionScore(
        key=key,
        name=name,
        score=_BOOKING_SCORES[booked],
        comment=_BOOKING_COMMENTS[booked],
        decided_by="crm",
    )


def searched_window(transcript: Transcript) -> tuple[int, int]:
    """The whole call in milliseconds: what was searched for something that is absent."""
    spoken = max((each.end_ms for each in transcript.utterances), default=0)
    return 0, max(spoken, round(transcript.seconds * 1000))


def _judged_one(
    criterion: Criterion,
    answer: CriterionAnswer | None,
    quotes: Quotes,
    window: tuple[int, int],
) -> CriterionScore:
    if answer is None:
        return _scored(criterion, None, "", needs_review=True)
    if criterion.optional and not answer.applicable:
        return _scored(criterion, None, answer.comment, searched_ms=window)
    score = _allowed(criterion, answer.score)
    found = _found(quotes, answer)
    if _proven_by_absence(criterion, score, answer):
        return _scored(criterion, score, answer.comment, found, searched_ms=window)
    trusted = any(not each.doubtful for each in found)
    return _scored(criterion, score, answer.comment, found, needs_review=not trusted)


def _proven_by_absence(criterion: Criterion, score: int | None, answer: CriterionAnswer) -> bool:
    """A zero says that something was not done; a few tens say that nothing came up."""
    if criterion.full_when_absent and score == HIGHEST:
        return not answer.evidence
    return score == 0


def _allowed(criterion: Criterion, score: int | None) -> int | None:
    if score is None or not criterion.binary:
        return score
    return HIGHEST if score >= _BINARY_BORDER else 0


def _found(quotes: Quotes, answer: CriterionAnswer) -> list[Found]:
    """The quotes that hold, each place once, trusted speakers only if there is one."""
    results = (quotes.find(each.quote, each.utterance) for each in answer.evidence)
    found = {each.evidence: each for each in results if isinstance(each, Found)}
    trusted = [each for each in found.values() if not each.doubtful]
    return trusted or list(found.values())


def _scored(
    criterion: Criterion,
    score: int | None,
    comment: str,
    found: Sequence[Found] = (),
    *,
    searched_ms: tuple[int, int] | None = None,
    needs_review: bool = False,
) -> CriterionScore:
    return CriterionScore(
        key=criterion.key,
        name=criterion.name,
        score=score,
        comment=comment,
        evidence=tuple(each.evidence for each in found),
        searched_ms=searched_ms,
        needs_review=needs_review,
    )
