"""Analyses survive a real store unchanged."""

import pytest
from tests.fixtures.analysis import NOW

from medai.analysis.models import CallAnalysis, CallType, CriterionScore, Evidence, Usage
from medai.analysis.repository import ANALYSES, AnalysisRepository
from medai.infra.documents import Documents
from medai.transcription.models import Role

ANALYSIS = CallAnalysis(
    call_id="0123456789abcdef01234567",
    client_id="clinic-1",
    call_type=CallType.FIRST,
    explanation="Впервые.",
    criteria=(
        CriterionScore(
            key="greeting",
            name="Приветствие",
            score=9,
            comment="Хорошо.",
            evidence=(
                Evidence(quote="добрый день", role=Role.ADMINISTRATOR, start_ms=0, end_ms=900),
            ),
        ),
        CriterionScore(
            key="passport", name="Паспорт", score=None, comment="Нет.", searched_ms=(0, 9000)
        ),
    ),
    overall=9.0,
    recommendations=("Раз.", "Два.", "Три."),
    needs_review=True,
    scorecard_version="medai-1",
    prompt_hash="0" * 64,
    model="gpt-6-luna",
    usage=Usage(input_tokens=1, cached_tokens=2, output_tokens=3, requests=4),
    raw=({"$ref": {"a.b": [1, None, 1.5]}, "большое": 2**70},),
    analysed_at=NOW,
)


@pytest.fixture
async def repository(documents: Documents) -> AnalysisRepository:
    await documents.prepare([ANALYSES])
    return AnalysisRepository(documents)


async def test_an_analysis_comes_back_whole(repository: AnalysisRepository) -> None:
    await repository.save(ANALYSIS)
    assert await repository.get(ANALYSIS.call_id) == ANALYSIS


async def test_the_last_analysis_of_a_call_wins(repository: AnalysisRepository) -> None:
    await repository.save(ANALYSIS)
    again = ANALYSIS.model_copy(update={"overall": 5.0, "call_type": CallType.OTHER})
    await repository.save(again)
    assert await repository.get(ANALYSIS.call_id) == again


async def test_no_analysis(repository: AnalysisRepository) -> None:
    assert await repository.get("absent") is None


async def test_analyses_of_many_calls_are_read_in_one_go(repository: AnalysisRepository) -> None:
    stored = [ANALYSIS.model_copy(update={"call_id": f"call-{n}"}) for n in range(250)]
    for one in stored:
        await repository.save(one)
    asked = [f"call-{n}" for n in range(250)] + ["unknown"]
    found = await repository.of_calls(asked)
    assert found == {one.call_id: one for one in stored}
    assert await repository.of_calls([]) == {}
