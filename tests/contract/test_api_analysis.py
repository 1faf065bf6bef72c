"""Contract 1.3, analysis: requests as old clients send them, bodies compared key by key."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from tests.fixtures.clinic_at_work import ClinicAtWork
from tests.fixtures.clinic_day import failure
from tests.fixtures.service import Doors, Json, doors_of, working
from tests.fixtures.shapes import shaped
from tests.fixtures.sounds import mp3, tone

from medai.analysis.scorecards import CRITERION_NAMES
from medai.calls.models import Call, Step
from medai.kit.ids import call_id
from medai.processing.single_analysis import SingleAnalysis
from medai.processing.trial_recordings import TRIAL_CLINIC

NOTE, OTHER_NOTE = 1000004, 1000003
RU, ISO = "19.11.2026", "2026-11-19"
HEARD = (Step.RECORDING, Step.TRANSCRIPTION)
ANALYSED = {
    "success": True,
    "call_id": str,
    "call_type": {"call_type_id": int, "call_type": str, "explanation": str},
    "analysis_results": {
        "call_type": str,
        "overall_score": float,
        "recommendations": [str],
        "unscored": {str: str},
    },
}
SCORES = {
    "note_id": int,
    "client_id": str,
    "call_type": str,
    "call_type_id": int,
    "administrator": str,
    "created_date": str,
    "overall_score": float,
    "conversion": bool,
    "scores": {str: {"name": str, "score": int, "comment": (str, None)}},
    "recommendations": [str],
    "transcription_url": (str, None),
}
STATUS = {
    "overall_status": str,
    "total_calls": int,
    "status_breakdown": {"pending": int, "processing": int, "success": int, "failed": int},
    "progress_percentage": float,
}


@pytest.fixture
async def open_doors(at_work: ClinicAtWork) -> AsyncIterator[Doors]:
    """The API of the clinic's installation; no worker is running."""
    await at_work.sync()
    async with doors_of(at_work.app) as opened:
        yield opened


async def _transcribed(at_work: ClinicAtWork, note_id: int = NOTE) -> Call:
    """The call with its transcript; nobody has asked for an analysis."""
    asked = {"transcription_requested_at": at_work.clock()}
    await at_work.app.calls.change(call_id(at_work.client_id, note_id), asked)
    return await at_work.run(note_id, *HEARD)


def _analyse(doors: Doors, call: Call | str) -> str:
    return f"/api/call/analyze-call-new/{call if isinstance(call, str) else call.id}"


def _scores(at_work: ClinicAtWork) -> dict[str, Any]:
    calls = at_work.sandbox.control.truth()["clinics"][at_work.client_id]["calls"]
    found: dict[str, Any] = calls[str(NOTE)]
    return found


async def test_analyze_call_new(at_work: ClinicAtWork, open_doors: Doors) -> None:
    call = await _transcribed(at_work)
    async with working(at_work.app):
        first, second = await asyncio.gather(
            *(open_doors.owner.post(_analyse(open_doors, call)) for _ in range(2))
        )
    third = await open_doors.owner.post(_analyse(open_doors, call))

    assert [answer.status_code for answer in (first, second, third)] == [200] * 3
    body = first.json()
    shaped(body, ANALYSED)
    truth, results = _scores(at_work), body["analysis_results"]
    known = {key: score for key, score in truth["scores"].items() if score is not None}
    for key in known:
        shaped(results[key], {"score": int, "comment": str}, at=key)
    assert {key: results[key]["score"] for key in known} == known
    assert results["unscored"].keys() == truth["scores"].keys() - known.keys()
    assert results["overall_score"] == truth["overall"]
    assert body["call_type"]["call_type"] == results["call_type"] == truth["call_type"]
    assert first.json() == second.json() == third.json()
    assert "call_reason" not in results  # only type 5 has one
    # Three clicks are paid once: a classification and a scoring (and no recheck).
    assert at_work.sandbox.control.bill()["llm_requests"] == 2


async def test_analyze_call_new_again(at_work: ClinicAtWork, open_doors: Doors) -> None:
    call = await _transcribed(at_work)
    async with working(at_work.app):
        path, again = _analyse(open_doors, call), {"force_analyze": True}
        await open_doors.owner.post(path)
        answer = await open_doors.owner.post(path, params=again)
    shaped(answer.json(), ANALYSED)
    assert at_work.sandbox.control.bill()["llm_requests"] == 4


@pytest.mark.parametrize("way", ["one call", "days"])
async def test_a_forced_analysis_replaces_nothing_before_it_is_there(
    at_work: ClinicAtWork, open_doors: Doors, way: str
) -> None:
    owner, control = open_doors.owner, at_work.sandbox.control
    call = await _transcribed(at_work)
    days: Json = {"client_id": at_work.client_id, "start_date_str": RU, "end_date_str": RU}
    asked: Json = {"note_id": NOTE, "client_id": at_work.client_id}

    async def forced() -> int:
        if way == "one call":
            return (await owner.post(_analyse(open_doors, call), params=again)).status_code
        return (await owner.post("/api/analyze-by-date-range", params=days | again)).status_code

    async def counts() -> Json:
        status = await owner.get("/api/analyze-by-date-range-status", params=days)
        found: Json = status.json()["status_breakdown"]
        return found

    again = {"force_analyze": True}
    async with working(at_work.app):
        await owner.post(_analyse(open_doors, call))
        before = (await owner.get("/api/call/scores", params=asked)).json()
        control.fail("openai", "bad_key", times=1000)
        await forced()
        await _until(lambda: _failed(at_work))
        assert (await owner.get("/api/call/scores", params=asked)).json() == before
        assert (await counts())["success"] == 0
        control.clear_faults()
        assert await forced() == 200
        await _until(lambda: _succeeded(counts))
    assert (await at_work.call(NOTE)).failures == {}
    assert control.bill()["llm_requests"] == 4


async def _failed(at_work: ClinicAtWork) -> bool:
    return Step.ANALYSIS in (await at_work.call(NOTE)).failures


async def _succeeded(counts: Callable[[], Awaitable[Json]]) -> bool:
    found: bool = (await counts())["success"] == 1
    return found


async def _until(met: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while True:
            if await met():
                return
            await asyncio.sleep(0.05)


async def test_analyze_call_new_waits_for_a_transcript_on_its_way(
    at_work: ClinicAtWork, open_doors: Doors
) -> None:
    call = call_id(at_work.client_id, NOTE)
    asked = {"transcription_requested_at": at_work.clock()}  # download-and-transcribe of one call
    await at_work.app.calls.change(call, asked)
    await at_work.app.requests.resume(await at_work.call(NOTE))
    async with working(at_work.app):
        answer = await open_doors.owner.post(_analyse(open_doors, call))
    assert answer.status_code == 200, answer.text
    shaped(answer.json(), ANALYSED)


async def test_analyze_call_new_refuses_in_words(at_work: ClinicAtWork, open_doors: Doors) -> None:
    owner = open_doors.owner
    unknown = await owner.post(_analyse(open_doors, "0123456789abcdef01234567"))
    hostile = await owner.post(_analyse(open_doors, "%00%D0%AF'%20OR%201=1"))
    untranscribed = await owner.post(_analyse(open_doors, call_id(at_work.client_id, NOTE)))

    assert (unknown.status_code, hostile.status_code) == (404, 404)
    assert untranscribed.status_code == 409
    assert "сначала запустите расшифровку" in untranscribed.json()["detail"]


async def test_analyze_call_new_tells_why_it_failed(
    at_work: ClinicAtWork, open_doors: Doors
) -> None:
    call = await _transcribed(at_work)
    at_work.sandbox.control.fail("openai", "bad_key", times=1000)
    async with working(at_work.app):
        answer = await open_doors.owner.post(_analyse(open_doors, call))
    assert answer.status_code == 502
    assert "OPENAI" in answer.json()["detail"]
    assert answer.json()["code"] == "provider_stopped"

    # The order stands: asking again once the key works needs nobody to clean up.
    at_work.sandbox.control.clear_faults()
    async with working(at_work.app):
        answer = await open_doors.owner.post(_analyse(open_doors, call))
    assert answer.status_code == 200, answer.text


async def test_analyze_call_new_of_a_client_that_hangs_up(
    at_work: ClinicAtWork, open_doors: Doors
) -> None:
    call = await _transcribed(at_work)
    request = asyncio.create_task(open_doors.owner.post(_analyse(open_doors, call)))
    async with asyncio.timeout(20):
        await _ordered(at_work)
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)
    assert [key for key, _ in await at_work.jobs("analyse_call")] == [f"analysis:{call.id}"]

    await at_work.run(NOTE, Step.ANALYSIS)
    assert (await open_doors.owner.post(_analyse(open_doors, call))).status_code == 200


async def test_analyze_call_new_that_takes_longer_than_anybody_waits(
    at_work: ClinicAtWork, open_doors: Doors
) -> None:
    call, app = await _transcribed(at_work), at_work.app
    impatient = SingleAnalysis(app.calls, app.jobs, app.stops, app.clock, patience_seconds=0.1)
    async with doors_of(replace(app, single_analysis=impatient)) as doors:
        early = await doors.owner.post(_analyse(doors, call))  # no worker is running
    assert early.status_code == 202
    shaped(early.json(), {"success": False, "call_id": call.id, "message": str})
    await at_work.run(NOTE, Step.ANALYSIS)
    assert (await open_doors.owner.post(_analyse(open_doors, call))).status_code == 200


async def test_a_click_on_an_old_page_does_not_throw_the_analysis_away(
    at_work: ClinicAtWork, open_doors: Doors
) -> None:
    seen = await _transcribed(at_work)
    await at_work.wanted(NOTE)
    done = await at_work.run(NOTE, Step.ANALYSIS)

    waited = await at_work.app.single_analysis.analysed(seen)

    assert waited.call.analysis == done.analysis
    assert await at_work.jobs("analyse_call") == []
    assert open_doors.application is at_work.app


async def _ordered(at_work: ClinicAtWork) -> None:
    for _ in range(1000):
        if await at_work.jobs("analyse_call"):
            return
        await asyncio.sleep(0.02)


async def test_analyze_by_date_range(at_work: ClinicAtWork, open_doors: Doors) -> None:
    await _transcribed(at_work)
    days = {"start_date_str": RU, "end_date_str": ISO, "client_id": at_work.client_id}
    before = await _status(open_doors, days)
    started = await open_doors.owner.post("/api/analyze-by-date-range", params=days)
    alias = await open_doors.owner.post("/api/call-analysis/analyze", params=days)
    during = await _status(open_doors, days)
    await at_work.run(NOTE, Step.ANALYSIS)
    after = await _status(open_doors, days)

    assert started.status_code == 200
    shape = {"message": str, "total_found": 1, "tasks_queued": 1, "duration_seconds": float}
    shaped(started.json(), shape)
    shaped(alias.json(), shape)
    assert "success" not in started.json()
    for status in (before, during, after):
        shaped(status, STATUS)
        assert status["total_calls"] == sum(status["status_breakdown"].values()) == 1
    states = [status["overall_status"] for status in (before, during, after)]
    assert states == ["pending", "processing", "completed"]
    assert [status["progress_percentage"] for status in (before, during, after)] == [0, 0, 100]


async def _status(doors: Doors, days: dict[str, Any]) -> dict[str, Any]:
    answer = await doors.owner.get("/api/analyze-by-date-range-status", params=days)
    assert answer.status_code == 200, answer.text
    alias = await doors.owner.get("/api/call-analysis/analyze-status", params=days)
    assert answer.json() == alias.json()
    found: dict[str, Any] = answer.json()
    return found


async def test_the_status_ends_when_transcripts_come_late_or_calls_wait_long(
    at_work: ClinicAtWork, open_doors: Doors
) -> None:
    first = await _transcribed(at_work)
    days = {"start_date_str": RU, "end_date_str": RU, "client_id": at_work.client_id}
    await open_doors.owner.post("/api/analyze-by-date-range", params=days)
    at_work.clock.pass_time(timedelta(seconds=1))
    late = await _transcribed(at_work, OTHER_NOTE)  # after the run was asked for
    assert (await _status(open_doors, days))["overall_status"] == "processing"
    await at_work.run(NOTE, Step.ANALYSIS)

    ended = await _status(open_doors, days)
    assert (ended["overall_status"], ended["progress_percentage"]) == ("partial", 50)
    breakdown = {"pending": 1, "processing": 0, "success": 1, "failed": 0}
    assert ended["status_breakdown"] == breakdown

    await open_doors.owner.post("/api/analyze-by-date-range", params=days)
    for minutes, status in ((5, "processing"), (45, "partial"), (None, "partial")):
        at = None if minutes is None else at_work.clock() + timedelta(minutes=minutes)
        waits = failure(None).model_copy(update={"next_try_at": at})
        await at_work.app.calls.change(late.id, {"failures.analysis": waits.model_dump()})
        found = await _status(open_doors, days)
        assert found["overall_status"] == status, minutes
        assert found["status_breakdown"]["failed"] == (minutes is None)
    assert first.id != late.id


async def test_analyze_by_date_range_without_calls_is_completed(open_doors: Doors) -> None:
    days = {"start_date_str": "01.01.2026", "end_date_str": "02.01.2026"}
    status = await _status(open_doors, days)
    assert (status["overall_status"], status["progress_percentage"]) == ("completed", 0)


REFUSED: list[tuple[dict[str, Any], int]] = [
    ({"start_date_str": "31.02.2026", "end_date_str": RU}, 400),
    ({"start_date_str": RU, "end_date_str": "18.11.2026"}, 400),
    ({"start_date_str": "01.01.0001", "end_date_str": RU}, 400),
    ({"start_date_str": "\x00", "end_date_str": RU}, 400),
    ({"start_date_str": "9" * 500, "end_date_str": RU}, 422),
    ({"start_date_str": RU}, 422),
    ({"start_date_str": RU, "end_date_str": RU, "client_id": "nobody\x00"}, 404),
]


async def test_analyze_by_date_range_refuses(open_doors: Doors) -> None:
    for days, status in REFUSED:
        answer = await open_doors.owner.post("/api/analyze-by-date-range", params=days)
        assert answer.status_code == status, answer.text


async def test_call_scores(at_work: ClinicAtWork, open_doors: Doors) -> None:
    owner = open_doors.owner
    query: dict[str, Any] = {"note_id": NOTE, "client_id": at_work.client_id}
    await at_work.wanted(NOTE)
    await at_work.run(NOTE, *HEARD)
    early = await owner.get("/api/call/scores", params=query)
    call = await at_work.run(NOTE, Step.ANALYSIS)
    answer = await owner.get("/api/call/scores", params=query)
    anywhere = await owner.get("/api/call/scores", params={"note_id": NOTE})
    unknown = await owner.get("/api/call/scores", params={**query, "note_id": 1})
    huge = await owner.get("/api/call/scores", params={**query, "note_id": 2**70})
    foreign = await owner.get("/api/call/scores", params={**query, "client_id": "nobody"})

    assert early.status_code == unknown.status_code == huge.status_code == 404
    assert foreign.status_code == 404
    assert "ещё не проанализирован" in early.json()["detail"]
    body = answer.json()
    shaped(body, SCORES)
    assert body == anywhere.json()
    assert (body["note_id"], body["client_id"]) == (NOTE, at_work.client_id)
    assert re.fullmatch(r"2026-11-19 \d\d:\d\d:\d\d", body["created_date"])
    truth = _scores(at_work)
    known = {key: score for key, score in truth["scores"].items() if score is not None}
    assert {key: one["score"] for key, one in body["scores"].items()} == known
    names = {**CRITERION_NAMES, "patient_booking": "Запись пациента"}
    assert {key: one["name"] for key, one in body["scores"].items()} == {
        key: names[key] for key in known
    }
    assert call.analysis is not None
    assert body["recommendations"] == list(call.analysis.recommendations)
    opened = await open_doors.stranger.get(body["transcription_url"])
    assert (opened.status_code, "Транскрипция звонка" in opened.text) == (200, True)


async def test_analysis_download(at_work: ClinicAtWork, open_doors: Doors) -> None:
    await at_work.wanted(NOTE)
    call = await at_work.run(NOTE, *HEARD, Step.ANALYSIS)
    listed = await open_doors.owner.get("/api/calls/list", params={"client_id": at_work.client_id})
    name = next(c["analysis_id"] for c in listed.json()["data"]["calls"] if c["_id"] == call.id)
    path = f"/api/analysis/{name}/download"
    signed = at_work.app.links.analysis_url(call, name)

    answer = await open_doors.owner.get(path)
    by_link = await open_doors.stranger.get(signed)
    other = await open_doors.stranger.get(signed.replace(call.id, "0" * 24))
    strange = [
        await open_doors.owner.get(f"/api/analysis/{wrong}/download")
        for wrong in ("0" * 24 + "_analysis.txt", "%00_analysis.txt", "..%2Fkeys", "x.txt")
    ]

    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert (by_link.status_code, by_link.text) == (200, answer.text)
    assert (await open_doors.stranger.get(path)).status_code == other.status_code == 401
    assert [one.status_code for one in strange] == [404] * 4
    stored = await at_work.app.analysis.stored(call.id)
    assert stored is not None
    quotes = [proof.quote for each in stored.criteria for proof in each.evidence]
    assert quotes
    for words in ("Анализ звонка: ", "Клиника: ", "Тип звонка: ", "Общая оценка: ", "Конверсия"):
        assert words in answer.text
    for each in stored.criteria:
        assert f"{each.name}: " in answer.text
    assert all(" ".join(quote.split()) in answer.text for quote in quotes)
    log = [entry async for entry in at_work.app.access_log.newest(at_work.client_id, 10)]
    opened = [(one.what, one.object_id, one.by) for one in log]
    assert sorted(opened) == [("analysis", call.id, "владелец"), ("analysis", call.id, "ссылка")]


async def test_a_key_of_another_clinic_sees_no_analysis(
    at_work: ClinicAtWork, open_doors: Doors
) -> None:
    app = at_work.app
    await at_work.wanted(NOTE)
    call = await at_work.run(NOTE, *HEARD, Step.ANALYSIS)
    other = await app.own_recordings.clinic("Чужая клиника")
    _, key = await app.keys.create("чужой", [other.client_id], may_write=True, by="test")
    async with httpx2.AsyncClient(
        transport=open_doors.stranger._transport,
        base_url="http://testserver/api",
        headers={"X-API-Key": key},
    ) as foreign:
        days = {"start_date_str": RU, "end_date_str": RU, "client_id": at_work.client_id}
        answers = [
            await foreign.post(f"/call/analyze-call-new/{call.id}"),
            await foreign.get("/call/scores", params={"note_id": NOTE}),
            await foreign.get(f"/analysis/{call.id}_analysis.txt/download"),
            await foreign.get("/analyze-by-date-range-status", params=days),
            await foreign.post("/analyze-by-date-range", params=days),
        ]
        trial = await foreign.post("/test/transcribe-and-analyze", files=_mp3(b"x"))
    assert [answer.status_code for answer in answers] == [404] * 5
    assert trial.status_code == 403


async def test_transcribe_and_analyze(at_work: ClinicAtWork, open_doors: Doors) -> None:
    owner, path = open_doors.owner, "/api/test/transcribe-and-analyze"
    recording = mp3(tone(440, 3.0))
    async with working(at_work.app):
        first = await owner.post(path, files=_mp3(recording))
        second = await owner.post(path, files=_mp3(recording))
    large = recording + bytes(2 * 1024 * 1024)  # more than other routes take
    wrong = await owner.post(path, files={"audio": ("call.wav", large, "audio/wav")})
    announced = {"Content-Length": str(65 * 1024 * 1024)}
    too_large = await owner.post(path, content=b"", headers=announced)
    broken = await owner.post(path, files=_mp3(b"<html>no recording</html>"))
    nothing = await owner.post(path)

    assert first.status_code == 200, first.text
    file = {"filename": str, "download_url": str}
    shape = {"success": True, "message": str, "data": {"transcription": file, "analysis": file}}
    shaped(first.json(), shape)
    assert first.json() == second.json()
    for kind, words in (("transcription", "Транскрипция звонка"), ("analysis", "Общая оценка")):
        file = first.json()["data"][kind]
        opened = await open_doors.stranger.get(file["download_url"])
        assert (opened.status_code, words in opened.text) == (200, True)
    assert (wrong.status_code, broken.status_code, nothing.status_code) == (400, 400, 422)
    assert too_large.status_code == 413
    assert at_work.sandbox.control.bill()["stt_paid"] == 1
    name = first.json()["data"]["analysis"]["filename"]
    scored = await owner.post(_analyse(open_doors, name.removesuffix("_analysis.txt")))
    shaped(scored.json(), ANALYSED)  # nothing to score: type 5
    shaped(scored.json()["analysis_results"], {"call_reason": str, "overall_score": 0.0})
    assert scored.json()["call_type"]["call_type"] == "другое"
    # Whose minutes: those of the trial clinic, counted like everybody's.
    trial = await at_work.app.own_recordings.clinic(TRIAL_CLINIC)
    assert trial.limits.week_used_seconds > 0
    assert (await at_work.clinic()).limits.week_used_seconds == 0


def _mp3(content: bytes) -> dict[str, Any]:
    return {"audio": ("call.mp3", content, "audio/mpeg")}
