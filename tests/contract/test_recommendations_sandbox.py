"""Conclusions over real HTTP and real stores: asked for once, stored, shared by workers."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta

import httpx2
import pytest
from tests.fixtures.clinic_day import NOON, stored_call, transcript
from tests.fixtures.ledger import MemoryEffects
from tests.fixtures.sandbox import RunningSandbox

from medai.analysis.openai import OpenAILanguageModel
from medai.analysis.recommendations.repository import CONCLUSIONS, ConclusionsRepository
from medai.analysis.recommendations.service import RecommendationService
from medai.calls.models import Analysis, Call, Stage
from medai.calls.repository import CALLS, CallRepository
from medai.errors import ProviderAnswerError, ProviderStoppedError
from medai.infra.documents import Documents
from medai.integrations.openai.client import OpenAIClient, Strategy
from medai.integrations.openai.models import ModelOptions
from medai.kit.days import DayRange
from medai.sandbox.credentials import OPENAI_KEY

CLINIC = "clinic-1"
MONDAY, SUNDAY = date(2026, 11, 16), date(2026, 11, 22)
NEXT_MONDAY, NEXT_SUNDAY = date(2026, 11, 23), date(2026, 11, 29)


def analysed(number: int, day: date, price: int, **changes: object) -> Call:
    """An analysed call with two scores and two recommendations."""
    analysis = Analysis(
        call_type_id=1, call_type="первичка", overall=6.0,
        scores={"greeting": 9, "price": price, "passport": None},
        recommendations=("Назовите цену после ценности.", f"Совет звонка {number}."),
        needs_review=False, scorecard_version="medai-1", model="m", analysed_at=NOON,
    )  # fmt: skip
    fields = {
        "analysis": analysis, "stage": Stage.EXPORTED if number % 2 else Stage.ANALYSED,
        "business_day": day, "administrator": ("Анна", "Ольга")[number % 2],
        "transcript": transcript(),
    }  # fmt: skip
    return stored_call(number, **{**fields, **changes})


class Desk:
    """Service, adapter, SDK, HTTP, simulator; documents in a real store."""

    def __init__(self, sandbox: RunningSandbox, documents: Documents, strategy: Strategy) -> None:
        self.sandbox, self.documents = sandbox, documents
        self.calls = CallRepository(documents)
        options = ModelOptions(
            base_url=f"{sandbox.url}/openai/v1", api_key=OPENAI_KEY, model="gpt-6-luna",
            reasoning_effort="none", timeout_seconds=10.0,
        )  # fmt: skip
        http = httpx2.AsyncClient(verify=False, trust_env=False)
        self.client = OpenAIClient(options, strategy, http=http)
        self.now = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.service = self.worker()

    def worker(self) -> RecommendationService:
        """One more worker of the same installation."""
        return RecommendationService(
            OpenAILanguageModel(self.client, MemoryEffects()),
            ConclusionsRepository(self.documents), self.calls,
            self._hold, lambda: self.now,
        )  # fmt: skip

    @asynccontextmanager
    async def _hold(self, key: str) -> AsyncIterator[None]:
        async with self._locks[key]:
            yield

    def bill(self) -> dict[str, int]:
        kinds: dict[str, int] = self.sandbox.control.bill()["llm_requests_by_kind"]
        return kinds

    async def stored(self) -> list[dict[str, object]]:
        found = self.documents.find(CONCLUSIONS, {}, sort=(("start_date", 1),))
        return [document async for document in found]


@pytest.fixture
async def desk(
    request: pytest.FixtureRequest, sandbox: RunningSandbox, documents: Documents
) -> AsyncIterator[Desk]:
    await documents.prepare([CALLS, CONCLUSIONS])
    made = Desk(sandbox, documents, getattr(request, "param", "responses"))
    two_weeks = [analysed(n, MONDAY + timedelta(days=n % 7), price=3) for n in range(14)]
    two_weeks += [analysed(50 + n, NEXT_MONDAY, price=6) for n in range(4)]
    two_weeks += [
        analysed(90, MONDAY, price=10, analysis=None, stage=Stage.NOTED),
        analysed(91, MONDAY, price=10, client_id="clinic-2"),
    ]
    await made.calls.insert_many(two_weeks)
    yield made
    await made.client.close()


@pytest.mark.parametrize("desk", ["responses", "chat_json_schema"], indirect=True)
async def test_a_week_is_concluded_once_and_stored_under_the_contracts_names(desk: Desk) -> None:
    made = await desk.service.weekly(CLINIC, MONDAY, SUNDAY)

    assert (made.calls, made.sampled_calls) == (14, 14)
    assert made.summary_points[0] == "Назовите цену после ценности."
    assert "- **Приветствие — 9,0** (оценок: 14). Так вышло по оценкам" in made.overall_summary
    assert "- **Цена — 3,0** (оценок: 14)." in made.overall_summary
    assert "«Назовите цену после ценности» (звонков: 14)" in made.overall_summary
    assert "Паспорт" not in made.overall_summary
    assert made.usage.input_tokens > 0
    assert await desk.service.weekly(CLINIC, MONDAY, SUNDAY) == made
    assert desk.bill() == {"WeekConclusions": 1}

    (document,) = await desk.stored()
    names = ("client_id", "period_type", "start_date", "end_date", "summary_analyze_status")
    assert [document[name] for name in names] == [
        CLINIC, "weekly", "2026-11-16", "2026-11-22", "success",
    ]  # fmt: skip
    assert document["avg_scores"] == {"greeting": 9.0, "price": 3.0}
    assert document["classification"] == {
        "strong": [{"key": "greeting", "name": "Приветствие", "score": 9.0}],
        "growth": [],
        "critical": [{"key": "price", "name": "Цена", "score": 3.0}],
    }
    assert document["analysis_data"] == {
        "summary_points": list(made.summary_points), "overall_summary": made.overall_summary,
    }  # fmt: skip


async def test_a_month_joins_its_weeks_and_reads_no_call(desk: Desk) -> None:
    await desk.service.weekly(CLINIC, MONDAY, SUNDAY)
    await desk.service.weekly(CLINIC, NEXT_MONDAY, NEXT_SUNDAY)
    await desk.service.weekly(CLINIC, date(2026, 11, 1), date(2026, 11, 30))  # overlaps: not added
    await desk.documents.delete(CALLS, {"client_id": CLINIC})

    made = await desk.service.monthly(CLINIC, 2026, 11)

    price = next(each for each in made.means if each.key == "price")
    assert (price.score, price.count, price.weeks) == (3.7, 18, (3.0, 6.0))
    assert (made.calls, made.weekly_analyses_count) == (18, 2)
    assert "- Цена: 3,0 → 6,0" in made.overall_summary
    assert await desk.service.monthly(CLINIC, 2026, 11) == made
    assert desk.bill() == {"WeekConclusions": 3, "MonthConclusions": 1}
    november = DayRange(date(2026, 11, 1), date(2026, 11, 30))
    weekly = await desk.service.stored(CLINIC, "weekly", november.first, november.last)
    assert weekly is not None
    assert await desk.service.overall_summary(CLINIC, november) == weekly.overall_summary


async def test_nothing_scored_is_said_politely_costs_nothing_and_is_not_stored(desk: Desk) -> None:
    early = await desk.service.weekly(CLINIC, date(2026, 1, 5), date(2026, 1, 11))
    month = await desk.service.monthly(CLINIC, 2026, 1)
    assert early.is_empty
    assert month.is_empty
    assert early.summary_points == ()
    assert "с 05.01.2026 по 11.01.2026 нет данных" in early.overall_summary
    assert "нет выводов по неделям" in month.overall_summary
    assert desk.bill() == {}
    assert await desk.stored() == []


async def test_a_refresh_replaces_and_a_period_that_became_empty_is_forgotten(desk: Desk) -> None:
    before = await desk.service.weekly(CLINIC, MONDAY, SUNDAY)
    await desk.calls.insert_many([analysed(80, MONDAY, price=10)])
    desk.now += timedelta(hours=1)
    after = await desk.service.weekly(CLINIC, MONDAY, SUNDAY, force_refresh=True)
    assert (before.calls, after.calls) == (14, 15)
    assert await desk.service.weekly(CLINIC, MONDAY, SUNDAY) == after
    assert len(await desk.stored()) == 1
    await desk.documents.delete(CALLS, {"client_id": CLINIC})
    assert (await desk.service.weekly(CLINIC, MONDAY, SUNDAY, force_refresh=True)).is_empty
    assert await desk.stored() == []


async def test_two_workers_pay_once_and_leave_one_document(desk: Desk) -> None:
    workers = [desk.worker() for _ in range(4)]
    made = await asyncio.gather(*(each.weekly(CLINIC, MONDAY, SUNDAY) for each in workers))
    assert len({each.prompt_hash for each in made}) == 1
    assert desk.bill() == {"WeekConclusions": 1}
    assert len(await desk.stored()) == 1


@pytest.mark.parametrize(
    ("kind", "error"),
    [("schema_violation", ProviderAnswerError), ("quota", ProviderStoppedError)],
)
async def test_a_failed_refresh_keeps_what_was_stored(
    desk: Desk, kind: str, error: type[Exception]
) -> None:
    before = await desk.service.weekly(CLINIC, MONDAY, SUNDAY)
    desk.sandbox.control.fail("openai", kind, times=2)
    with pytest.raises(error):
        await desk.service.weekly(CLINIC, MONDAY, SUNDAY, force_refresh=True)
    assert await desk.service.weekly(CLINIC, MONDAY, SUNDAY) == before


async def test_a_document_of_the_replaced_system_is_read_and_replaced(desk: Desk) -> None:
    await desk.documents.insert(
        CONCLUSIONS,
        {
            "_id": "old", "client_id": CLINIC, "period_type": "weekly",
            "start_date": "2026-11-16", "end_date": "2026-11-22",
            "analysis_data": {"summary_points": ["Было"], "overall_summary": "Старое"},
            "avg_scores": {"price": 4.0}, "created_at": NOON,
        },
    )  # fmt: skip
    old = await desk.service.weekly(CLINIC, MONDAY, SUNDAY)
    assert old.summary_points == ("Было",)
    assert (await desk.service.monthly(CLINIC, 2026, 11)).means[0].score == 4.0
    await desk.service.weekly(CLINIC, MONDAY, SUNDAY, force_refresh=True)
    weekly = [each for each in await desk.stored() if each["period_type"] == "weekly"]
    assert [each["_id"] for each in weekly] == ["old"]


async def test_those_who_want_fresh_conclusions_at_once_share_one_request(desk: Desk) -> None:
    stored = await desk.service.weekly(CLINIC, MONDAY, SUNDAY)
    workers = [desk.worker() for _ in range(3)]
    moments = iter(desk.now + timedelta(seconds=n) for n in range(1, 1000))
    for worker in workers:
        worker._clock = lambda: next(moments)  # time goes on while the model thinks

    refreshed = [worker.weekly(CLINIC, MONDAY, SUNDAY, force_refresh=True) for worker in workers]
    made = await asyncio.gather(*refreshed)

    assert desk.bill() == {"WeekConclusions": 2}
    assert len({each.created_at for each in made}) == 1
    assert made[0].created_at is not None
    assert stored.created_at is not None
    assert made[0].created_at > stored.created_at
