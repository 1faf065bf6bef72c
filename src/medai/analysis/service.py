"""Analysing a call: what type it is, then how well the administrator did, with proof."""

from collections.abc import Sequence

from medai.analysis import results
from medai.analysis.evidence import LOW_ROLES_CONFIDENCE
from medai.analysis.models import AdministratorGuess, CallAnalysis, CallType, CriterionScore
from medai.analysis.ports import LanguageModel
from medai.analysis.prompting import administrator_prompt
from medai.analysis.repository import AnalysisRepository
from medai.analysis.scorecards import VERSION, scorecard
from medai.analysis.scoring import overall_score
from medai.analysis.session import Session
from medai.analysis.shapes import AdministratorChoice
from medai.analysis.steps import classified, has_words, scored
from medai.calls.models import Analysis, Call
from medai.kit.clock import Clock
from medai.ledger.models import Subject
from medai.transcription.models import Transcript


class AnalysisService:
    """Analyses calls and names administrators. Needs a model, a store and a clock."""

    def __init__(self, model: LanguageModel, repository: AnalysisRepository, clock: Clock) -> None:
        self._model = model
        self._repository = repository
        self._clock = clock

    async def analyse(
        self, call: Call, transcript: Transcript, *, count_not_applicable_as_zero: bool
    ) -> CallAnalysis:
        """Classify, score and store; two requests, one more when proof is missing.

        Nothing is asked about a transcript without words: it is of type OTHER. Raises the
        provider errors of `ports.LanguageModel` and StoreError; then nothing is stored.
        """
        session = Session(self._model, Subject(client_id=call.client_id, call_id=call.id))
        call_type, explanation = await classified(session, transcript)
        criteria: tuple[CriterionScore, ...] = ()
        advice: tuple[str, ...] = ()
        if call_type is not CallType.OTHER:
            card = scorecard(call_type)
            criteria, advice = await scored(session, card, transcript, booked=_booked(call))
        analysis = CallAnalysis(
            call_id=call.id,
            client_id=call.client_id,
            call_type=call_type,
            explanation=explanation,
            criteria=criteria,
            overall=overall_score(
                criteria, count_not_applicable_as_zero=count_not_applicable_as_zero
            ),
            recommendations=advice,
            needs_review=_needs_review(call_type, criteria, transcript),
            scorecard_version=VERSION,
            prompt_hash=session.prompt_hash,
            model=session.model,
            usage=session.usage,
            raw=session.raw,
            analysed_at=self._clock(),
        )
        await self._repository.save(analysis)
        return analysis

    async def stored(self, call_id: str) -> CallAnalysis | None:
        """The last analysis of a call with its proof, None when there is none."""
        return await self._repository.get(call_id)

    async def rebook(
        self, call: Call, *, count_not_applicable_as_zero: bool
    ) -> CallAnalysis | None:
        """Apply the call's present conversion to its stored analysis, without any request.

        None when the call was never analysed.
        """
        found = await self._repository.get(call.id)
        if found is None:
            return None
        changed = results.with_booking(
            found,
            booked=_booked(call),
            count_not_applicable_as_zero=count_not_applicable_as_zero,
        )
        if changed != found:
            await self._repository.save(changed)
        return changed

    def summary(self, analysis: CallAnalysis) -> Analysis:
        """The short form that is stored on the call."""
        return results.summary(analysis)

    async def choose_administrator(
        self, transcript: Transcript, candidates: Sequence[tuple[str, str]]
    ) -> AdministratorGuess | None:
        """Who of the (first name, last name) candidates speaks, as the transcript tells.

        None when nobody introduced himself, nothing was said or there is nobody to choose from.
        What confidence suffices is decided by the rules of `staff` (contract 4.7).
        """
        if not candidates or not has_words(transcript):
            return None
        prompt = administrator_prompt(transcript, candidates)
        subject = Subject(client_id=transcript.client_id, call_id=transcript.call_id)
        choice = (await self._model.answer(prompt, AdministratorChoice, subject)).value
        if not choice.first_name or not choice.first_name.strip():
            return None
        return AdministratorGuess(
            first_name=choice.first_name.strip(),
            last_name=(choice.last_name or "").strip(),
            confidence=choice.confidence,
        )


def _booked(call: Call) -> bool | None:
    """What the CRM says of a booking; a recording from disk has no CRM to say anything."""
    return call.converted if call.origin == "amocrm" else None


def _needs_review(
    call_type: CallType, criteria: Sequence[CriterionScore], transcript: Transcript
) -> bool:
    """Unproven scores, or roles that are only guessed, want a person's eye (field.md 4)."""
    if call_type is CallType.OTHER:
        return False
    guessed = transcript.roles_confidence < LOW_ROLES_CONFIDENCE
    return guessed or any(each.needs_review for each in criteria)
