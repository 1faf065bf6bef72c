"""The flow of an analysis with a scripted model: what is asked, judged and stored."""

from typing import Any

import pytest
from tests.fixtures.analysis import (
    NOW,
    MemoryDocuments,
    ScriptedModel,
    call,
    classification,
    criterion,
    transcript,
)

from medai.analysis.models import AdministratorGuess, CallAnalysis, CallType
from medai.analysis.repository import AnalysisRepository
from medai.analysis.scorecards import scorecard
from medai.analysis.service import AnalysisService
from medai.errors import ProviderAnswerError, ProviderRejectedError, ProviderUnavailableError
from medai.ledger.models import Subject

ADVICE = ["Представьтесь.", "Назовите врача.", "Подведите итог."]
REPEAT_KEYS = scorecard(CallType.REPEAT).asked_keys
CALL_BACK_KEYS = scorecard(CallType.CALL_BACK).asked_keys
PROOF = ("добрый день", 1)


def scoring(keys: tuple[str, ...], **changed: dict[str, Any]) -> dict[str, Any]:
    """8 with a real quote for every key but the changed ones."""
    criteria = {key: changed.get(key, criterion(8, *PROOF)) for key in keys}
    return {"criteria": criteria, "recommendations": ADVICE}


class Desk:
    """A service with its twins."""

    def __init__(self, *script: dict[str, Any] | Exception) -> None:
        self.model = ScriptedModel(list(script))
        self.repository = AnalysisRepository(MemoryDocuments())
        self.service = AnalysisService(self.model, self.repository, lambda: NOW)

    async def analyse(
        self, *, as_zero: bool = False, lines: tuple[str, ...] = (), **changes: Any
    ) -> CallAnalysis:
        return await self.service.analyse(
            call(**changes), transcript(*lines), count_not_applicable_as_zero=as_zero
        )

    @property
    def shapes(self) -> list[str]:
        return [shape for _, shape in self.model.asked]


async def test_two_questions_make_an_analysis_that_is_stored_whole() -> None:
    desk = Desk(classification(2), scoring(REPEAT_KEYS))
    analysis = await desk.analyse(converted=True)
    assert desk.shapes == ["CallClassification", "CallScoring"]
    assert analysis.call_type is CallType.REPEAT
    assert analysis.overall == 8.2  # nine eights and the CRM's ten
    assert analysis.recommendations == tuple(ADVICE)
    assert not analysis.needs_review
    assert (analysis.usage.requests, analysis.usage.input_tokens) == (2, 200)
    assert (analysis.usage.cached_tokens, analysis.usage.output_tokens) == (80, 20)
    assert analysis.raw == ({"id": "answer-1"}, {"id": "answer-2"})
    assert (analysis.model, analysis.analysed_at) == ("twin-1", NOW)
    assert len(analysis.prompt_hash) == 64
    assert set(desk.model.subjects) == {Subject(client_id="clinic-1", call_id="call-1")}
    assert await desk.service.stored("call-1") == analysis


async def test_the_conversion_of_the_call_is_told_and_scored() -> None:
    for converted, words in ((True, "есть"), (False, "отсутствует")):
        desk = Desk(classification(2), scoring(REPEAT_KEYS))
        analysis = await desk.analyse(converted=converted)
        assert f"запись на приём {words}" in desk.model.asked[1][0].data
        scores = desk.service.summary(analysis).scores
        assert scores["patient_booking"] == (10 if converted else 0)


async def test_type_other_has_no_scoring_call_and_no_advice() -> None:
    desk = Desk(classification(5))
    analysis = await desk.analyse(converted=True)
    assert desk.shapes == ["CallClassification"]
    assert (analysis.overall, analysis.criteria, analysis.recommendations) == (0.0, (), ())
    assert not analysis.needs_review


@pytest.mark.parametrize("lines", [("А: …", "П: —"), ("У:  ",)])
async def test_a_transcript_without_words_costs_nothing(lines: tuple[str, ...]) -> None:
    desk = Desk()
    analysis = await desk.analyse(lines=lines)
    assert desk.shapes == []
    assert analysis.call_type is CallType.OTHER
    assert analysis.usage.requests == 0
    assert await desk.service.stored("call-1") == analysis


async def test_a_score_without_proof_is_asked_for_once_more() -> None:
    again = {"criteria": {"speech": criterion(6, "меня зовут алина", 1)}}
    desk = Desk(
        classification(2), scoring(REPEAT_KEYS, speech=criterion(9, "рада помочь", 1)), again
    )
    analysis = await desk.analyse()
    assert desk.shapes == ["CallClassification", "CallScoring", "CriteriaRecheck"]
    assert "Оцени только критерии: speech\n" in desk.model.asked[2][0].data
    speech = next(each for each in analysis.criteria if each.key == "speech")
    assert (speech.score, speech.needs_review) == (6, False)
    assert analysis.usage.requests == 3
    assert not analysis.needs_review


async def test_what_has_no_proof_twice_is_marked_for_review() -> None:
    lie = criterion(9, "рада помочь", 1)
    desk = Desk(classification(2), scoring(REPEAT_KEYS, speech=lie), {"criteria": {"speech": lie}})
    analysis = await desk.analyse()
    assert [each.key for each in analysis.criteria if each.needs_review] == ["speech"]
    assert analysis.needs_review
    assert desk.service.summary(analysis).needs_review
    assert len(desk.model.asked) == 3


@pytest.mark.parametrize(
    "error", [ProviderAnswerError("openai", "нет"), ProviderRejectedError("openai", "нет")]
)
async def test_a_failed_second_question_does_not_lose_the_first_answer(error: Exception) -> None:
    desk = Desk(classification(2), scoring(REPEAT_KEYS, speech=criterion(9)), error)
    analysis = await desk.analyse()
    assert [each.key for each in analysis.criteria if each.needs_review] == ["speech"]


@pytest.mark.parametrize("good", [0, 1, 2])
async def test_an_unavailable_model_stores_nothing(good: int) -> None:
    answers = [classification(2), scoring(REPEAT_KEYS, speech=criterion(9))][:good]
    desk = Desk(*answers, ProviderUnavailableError("openai", "нет"))
    with pytest.raises(ProviderUnavailableError):
        await desk.analyse()
    assert await desk.service.stored("call-1") is None


async def test_not_applicable_criteria_count_as_the_clinic_wants() -> None:
    absent = criterion(None, applicable=False)
    answers = scoring(CALL_BACK_KEYS, passport=absent, objection_handling=absent)
    mean = await Desk(classification(3), answers).analyse()
    old = await Desk(classification(3), answers).analyse(as_zero=True)
    # Seven applicable: six eights and the address, which is binary and becomes ten.
    assert mean.overall == round((6 * 8 + 10) / 7, 4)
    assert old.overall == round((6 * 8 + 10) / 9, 4)


async def test_guessed_roles_make_a_person_look() -> None:
    desk = Desk(classification(2), scoring(REPEAT_KEYS))
    analysis = await desk.service.analyse(
        call(), transcript(confidence=0.5), count_not_applicable_as_zero=False
    )
    assert analysis.needs_review
    assert not any(each.needs_review for each in analysis.criteria)


async def test_the_same_call_gives_the_same_prompt_hash() -> None:
    hashes = []
    for converted in (True, True, False):
        desk = Desk(classification(2), scoring(REPEAT_KEYS))
        hashes.append((await desk.analyse(converted=converted)).prompt_hash)
    assert hashes[0] == hashes[1] != hashes[2]


async def test_summary_has_every_criterion_of_the_type() -> None:
    absent = criterion(None, applicable=False)
    desk = Desk(classification(3), scoring(CALL_BACK_KEYS, passport=absent))
    short = desk.service.summary(await desk.analyse())
    assert (short.call_type_id, short.call_type) == (3, "перезвон")
    assert tuple(short.scores) == CALL_BACK_KEYS
    assert short.scores["passport"] is None
    assert short.scorecard_version == "medai-1"


async def test_a_late_booking_changes_scores_without_a_question() -> None:
    desk = Desk(classification(2), scoring(REPEAT_KEYS))
    before = await desk.analyse(converted=False)
    after = await desk.service.rebook(call(converted=True), count_not_applicable_as_zero=False)
    assert after is not None
    assert (before.overall, after.overall) == (7.2, 8.2)
    assert await desk.service.stored("call-1") == after
    assert len(desk.model.asked) == 2
    unchanged = [each for each in after.criteria if each.decided_by != "crm"]
    assert unchanged == [each for each in before.criteria if each.decided_by != "crm"]


async def test_nothing_to_rebook_without_an_analysis() -> None:
    assert await Desk().service.rebook(call(), count_not_applicable_as_zero=False) is None


CHOICE = {"reasoning": "Представилась.", "first_name": "Алина", "last_name": None}


async def test_the_administrator_is_chosen_from_the_list() -> None:
    desk = Desk({**CHOICE, "confidence": 0.9})
    guess = await desk.service.choose_administrator(
        transcript(), [("Алина", "Петрова"), ("Ольга", "Сергеева")]
    )
    assert guess == AdministratorGuess(first_name="Алина", last_name="", confidence=0.9)
    assert desk.model.subjects == [Subject(client_id="clinic-1", call_id="call-1")]
    assert "[1] Алина Петрова\n[2] Ольга Сергеева\n" in desk.model.asked[0][0].data


@pytest.mark.parametrize("name", [None, "", " "])
async def test_nobody_introduced_himself(name: str | None) -> None:
    desk = Desk({**CHOICE, "first_name": name, "confidence": 0.0})
    assert await desk.service.choose_administrator(transcript(), [("Алина", "Петрова")]) is None


async def test_no_question_without_candidates_or_words() -> None:
    desk = Desk()
    assert await desk.service.choose_administrator(transcript(), []) is None
    assert await desk.service.choose_administrator(transcript("П: …"), [("А", "Б")]) is None
    assert desk.model.asked == []


async def test_a_recording_from_disk_is_not_blamed_for_a_missing_booking() -> None:
    desk = Desk(classification(2), scoring(REPEAT_KEYS))
    result = await desk.analyse(origin="file")
    booking = next(each for each in result.criteria if each.key == "patient_booking")
    assert (booking.score, booking.decided_by) == (None, "crm")
    assert result.overall == 8.0
    assert "не из CRM" in desk.model.asked[1][0].data
