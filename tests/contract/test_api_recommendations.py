"""Contract 1.3, recommendations: requests as old clients send them, bodies key by key."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Any

import httpx2
import pytest
from tests.fixtures.clinic_at_work import EVENING, ClinicAtWork
from tests.fixtures.clinic_day import stored_call, transcript
from tests.fixtures.service import Doors, doors_of, working
from tests.fixtures.shapes import shaped

from medai.calls.models import Analysis, Stage
from medai.kit.ids import call_id

MONDAY = date(2026, 11, 16)
WEEK = {"start_date_str": "16.11.2026", "end_date_str": "2026-11-22"}
EMPTY_WEEK = {"start_date_str": "02.11.2026", "end_date_str": "08.11.2026"}
DATA = {"summary_points": [str], "overall_summary": str}
ANSWER = {"message": str, "data": DATA}
PATH = "/api/recommendations/analyze-by-date-range"


@pytest.fixture
async def open_doors(at_work: ClinicAtWork) -> AsyncIterator[Doors]:
    """The API of a clinic with two analysed calls in one week; no worker is running."""
    calls = [_analysed(at_work, note_id, price) for note_id, price in ((1, 3), (2, 4))]
    await at_work.app.calls.insert_many(calls)
    async with doors_of(at_work.app) as opened:
        yield opened


def _analysed(at_work: ClinicAtWork, note_id: int, price: int) -> Any:
    analysis = Analysis(
        call_type_id=1, call_type="первичка", scores={"greeting": 9, "price": price}, overall=6.0,
        recommendations=("Назовите цену.",), needs_review=False, scorecard_version="medai-1",
        model="m", analysed_at=EVENING,
    )  # fmt: skip
    return stored_call(
        note_id, id=call_id(at_work.client_id, note_id), client_id=at_work.client_id,
        analysis=analysis, stage=Stage.ANALYSED, business_day=MONDAY, transcript=transcript(),
    )  # fmt: skip


def _requests(at_work: ClinicAtWork) -> int:
    return sum(at_work.sandbox.control.bill()["llm_requests_by_kind"].values())


async def test_analyze_by_date_range(at_work: ClinicAtWork, open_doors: Doors) -> None:
    owner, query = open_doors.owner, {"client_id": at_work.client_id, **WEEK}
    first, second = await asyncio.gather(*(owner.post(PATH, params=query) for _ in range(2)))
    cached = await owner.post(PATH, params=query)

    assert first.status_code == 200, first.text
    shaped(first.json(), ANSWER)
    assert "success" not in first.json()
    assert first.json()["data"]["summary_points"]
    assert "## Общие выводы" in first.json()["data"]["overall_summary"]
    assert first.json() == second.json() == cached.json()
    assert _requests(at_work) == 1
    again = await owner.post(PATH, params={**query, "force_refresh": True})
    shaped(again.json(), ANSWER)
    assert _requests(at_work) == 2


async def test_the_export_to_the_boards_follows(at_work: ClinicAtWork, open_doors: Doors) -> None:
    query = {"client_id": at_work.client_id, **WEEK}
    made = await open_doors.owner.post(PATH, params=query)
    assert [key for key, _ in await at_work.jobs("export_clinic")] == [
        f"export:{at_work.client_id}"
    ]
    async with working(at_work.app):
        rows = await _exported(at_work)
    assert rows == [("weekly", MONDAY, made.json()["data"]["summary_points"])]


async def _exported(at_work: ClinicAtWork) -> list[tuple[Any, ...]]:
    query = "SELECT period_type, start_date, summary_points FROM public.recommendation_analysis"
    for _ in range(1000):
        async with at_work.app.pool.connection() as connection:
            rows = await (await connection.execute(query)).fetchall()
        if rows:
            return [tuple(row) for row in rows]
        await asyncio.sleep(0.02)
    return []


async def test_analyze_by_date_range_without_data(at_work: ClinicAtWork, open_doors: Doors) -> None:
    query = {"client_id": at_work.client_id, **EMPTY_WEEK}
    answer = await open_doors.owner.post(PATH, params=query)

    shaped(answer.json(), ANSWER)
    assert answer.json()["message"] == "Нет данных за период"
    assert answer.json()["data"]["summary_points"] == []
    assert "нет данных" in answer.json()["data"]["overall_summary"]
    status = await open_doors.owner.get(f"{PATH}-status", params=query)
    shaped(
        status.json(),
        {
            "overall_status": "no_data",
            "summary_analyze_status": "not_applicable",
            "has_cached_result": False,
            "analysis_available": False,
            "message": str,
        },
    )
    assert _requests(at_work) == 0
    assert await at_work.jobs("export_clinic") == []


async def test_analyze_by_date_range_status(at_work: ClinicAtWork, open_doors: Doors) -> None:
    owner, query = open_doors.owner, {"client_id": at_work.client_id, **WEEK}
    before = (await owner.get(f"{PATH}-status", params=query)).json()
    await owner.post(PATH, params=query)
    after = (await owner.get(f"{PATH}-status", params=query)).json()

    assert before == {
        "overall_status": "pending",
        "summary_analyze_status": "pending",
        "has_cached_result": False,
        "analysis_available": False,
        "calls_with_recommendations": 2,
        "message": "Выводы ещё не сделаны: запустите анализ рекомендаций",
    }
    assert datetime.fromisoformat(after.pop("cache_created_at")) == at_work.clock()
    assert after == {
        "overall_status": "completed",
        "summary_analyze_status": "success",
        "has_cached_result": True,
        "analysis_available": True,
    }


async def test_analyze_monthly(at_work: ClinicAtWork, open_doors: Doors) -> None:
    owner, client_id = open_doors.owner, {"client_id": at_work.client_id}
    path, month = "/api/recommendations/analyze-monthly", {"year": 2026, "month": 11}
    early = await owner.post(path, params={**client_id, **month})
    await owner.post(PATH, params={**client_id, **WEEK})
    made = await owner.post(path, params={**client_id, **month})
    cached = await owner.post(path, params={**client_id, **month})

    shape = {"message": str, "period": "Ноябрь 2026", "period_type": "monthly", "data": DATA}
    shaped(early.json(), shape)
    assert early.json()["data"]["summary_points"] == []
    shaped(made.json(), shape)
    assert "## Динамика" in made.json()["data"]["overall_summary"]
    assert made.json() == cached.json()
    bill = at_work.sandbox.control.bill()
    assert bill["llm_requests_by_kind"] == {"WeekConclusions": 1, "MonthConclusions": 1}
    for wrong in ({"year": 2026, "month": 13}, {"year": 2**70, "month": 1}, {"year": 2026}):
        answer = await owner.post(path, params={**client_id, **wrong})
        assert answer.status_code == 422


async def test_analyze_recommendations(at_work: ClinicAtWork, open_doors: Doors) -> None:
    """README's name, which is a GET: a reading key must not spend money with it."""
    path, query = "/api/analyze-recommendations", {"client_id": at_work.client_id, **WEEK}
    _, key = await at_work.app.keys.create("читатель", None, may_write=False, by="test")
    async with httpx2.AsyncClient(
        transport=open_doors.stranger._transport,
        base_url="http://testserver",
        headers={"X-API-Key": key},
    ) as reader:
        refused = await reader.get(path, params=query)
        made = await open_doors.owner.get(path, params=query)
        read = await reader.get(path, params=query)
        started = await reader.post(PATH, params=query)
    assert (refused.status_code, started.status_code) == (403, 403)
    shaped(made.json(), ANSWER)
    assert read.json() == made.json()
    assert _requests(at_work) == 1


async def test_recommendations_refuse_in_words(at_work: ClinicAtWork, open_doors: Doors) -> None:
    owner, client_id = open_doors.owner, at_work.client_id
    for dates, status in (
        ({"start_date_str": "22.11.2026", "end_date_str": "16.11.2026"}, 400),
        ({"start_date_str": "ноябрь", "end_date_str": "16.11.2026"}, 400),
        ({"start_date_str": "01.01.2020", "end_date_str": "16.11.2026"}, 400),
        ({"start_date_str": "16.11.2026"}, 422),
    ):
        for answer in (
            await owner.post(PATH, params={"client_id": client_id, **dates}),
            await owner.get(f"{PATH}-status", params={"client_id": client_id, **dates}),
            await owner.get(
                "/api/analyze-recommendations", params={"client_id": client_id, **dates}
            ),
        ):
            assert answer.status_code == status, answer.text
    for nobody in ("nobody", "\x00", "Я" * 60):
        answer = await owner.post(PATH, params={"client_id": nobody, **WEEK})
        assert answer.status_code == 404, answer.text
    assert (await owner.post(PATH, params=WEEK)).status_code == 422


async def test_a_model_that_is_away_leaves_what_was_stored(
    at_work: ClinicAtWork, open_doors: Doors
) -> None:
    owner, query = open_doors.owner, {"client_id": at_work.client_id, **WEEK}
    made = await owner.post(PATH, params=query)
    at_work.sandbox.control.fail("openai", "bad_key", times=10)
    refused = await owner.post(PATH, params={**query, "force_refresh": True})
    at_work.sandbox.control.clear_faults()
    assert (refused.status_code, refused.json()["code"]) == (502, "provider_stopped")
    assert (await owner.post(PATH, params=query)).json() == made.json()
