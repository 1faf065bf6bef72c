"""The requests of an analysis and what is made of their answers."""

from medai.analysis.models import CallType, CriterionScore
from medai.analysis.prompting import classification_prompt, recheck_prompt, scoring_prompt
from medai.analysis.scorecards import Scorecard
from medai.analysis.scoring import judged, merged, unproven
from medai.analysis.session import Session
from medai.analysis.shapes import (
    CallClassification,
    criterion_answers,
    recheck_shape,
    scoring_shape,
)
from medai.analysis.words import words
from medai.errors import ProviderAnswerError, ProviderRejectedError
from medai.transcription.models import Transcript

NOTHING_SAID = "В записи нет слов: оценивать нечего"


async def classified(session: Session, transcript: Transcript) -> tuple[CallType, str]:
    """The call's type and why. A transcript without words is OTHER and costs no request."""
    if not has_words(transcript):
        return CallType.OTHER, NOTHING_SAID
    answer = await session.ask(classification_prompt(transcript), CallClassification)
    return CallType(answer.call_type_id), answer.explanation


async def scored(
    session: Session, card: Scorecard, transcript: Transcript, *, booked: bool | None
) -> tuple[tuple[CriterionScore, ...], tuple[str, ...]]:
    """All criteria of the card with proof, and the recommendations: one or two requests."""
    prompt = scoring_prompt(card, transcript, booked=booked)
    answer = await session.ask(prompt, scoring_shape(card.asked_keys))
    scores = judged(card, criterion_answers(answer), transcript, booked=booked)
    missing = unproven(scores)
    if missing:
        scores = await _rechecked(session, card, transcript, scores, missing, booked=booked)
    return scores, tuple(answer.recommendations)


async def _rechecked(
    session: Session,
    card: Scorecard,
    transcript: Transcript,
    scores: tuple[CriterionScore, ...],
    missing: tuple[str, ...],
    *,
    booked: bool | None,
) -> tuple[CriterionScore, ...]:
    """Ask once more for what has no proof; what has none then stays marked for review."""
    prompt = recheck_prompt(card, transcript, missing, booked=booked)
    try:
        answer = await session.ask(prompt, recheck_shape(missing))
    except (ProviderAnswerError, ProviderRejectedError):
        # The first answer is good but for these criteria, and they are marked already.
        return scores
    again = judged(card, criterion_answers(answer), transcript, booked=booked)
    return merged(scores, again)


def has_words(transcript: Transcript) -> bool:
    """Whether anybody said anything; noise marks and punctuation are no words."""
    return any(words(each.text) for each in transcript.utterances)
