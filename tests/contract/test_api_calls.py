"""Rows of contract 1.2 about calls: list, recordings, transcription and its status."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from tests.fixtures.application import empty_mongodb
from tests.fixtures.call_library import (
    ASKED_AT,
    FOREIGN,
    OWN,
    SOUND,
    Library,
    audio,
    days_later,
    failed,
    opened_library,
)
from tests.fixtures.shapes import shaped
from tests.fixtures.stores import REAL_MONGODB_URI, empty_database

from medai.api.byte_ranges import byte_range
from medai.api.joined import Joined
from medai.api.routers.call_shapes import CallList
from medai.calls import listing
from medai.calls.listing import CallListing, CallQuery
from medai.calls.models import Call, SkipReason, Stage, Step
from medai.kit.days import DayRange
from medai.limits.changes import LimitChanges

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIST = "/api/calls/list"
TRANSCRIBE = "/api/calls/transcribe-by-date-range"
STATUS = "/api/calls/transcribe-by-date-range-status"
RU, ISO = "19.11.2026", "2026-11-19"
WHOLE_DAY = {"start_date": RU, "end_date": ISO, "client_id": OWN}
CALL: dict[str, Any] = {
    "_id": str, "note_id": int, "event_id": (str, None), "lead_id": (int, None), "lead_name": str,
    "contact_id": (int, None), "contact_name": str, "client_id": str, "subdomain": str,
    "administrator": str, "source": str, "processing_speed": int, "processing_speed_str": str,
    "call_direction": str, "duration": int, "duration_formatted": str, "phone": str,
    "call_link": str, "created_at": int, "created_date": str, "created_date_iso": str,
    "created_date_for_filtering": str, "recorded_at": str, "updated_at": str,
    "amocrm_user_id": (int, None), "transcription_status": str,
    "transcription_error": (str, None), "filename_audio": (str, None),
    "filename_transcription": (str, None), "amo_transcription_synced": bool,
    "amo_transcription_note_id": (int, None), "amo_transcription_synced_at": (str, None),
    "metrics": dict, "conversion_type": (str, None), "analyze_status": str,
}  # fmt: skip
ANALYSED: dict[str, Any] = {
    "call_type_id": int, "call_type_name": str, "recommendations": [str], "analysis_id": str,
    "analyzed_at": str,
    "metrics": {
        "overall_score": float, "conversion": bool, "call_type_classification": str,
        "greeting": int,
    },
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["postgres", "mongodb"])
async def library(
    request: pytest.FixtureRequest,
    postgres_server: str,
    mongodb_uri: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Library]:
    """The nineteenth holds a call in every state; further days belong to single tests."""
    folder = tmp_path_factory.mktemp("library")
    with empty_database(postgres_server) as dsn:
        async with empty_mongodb(REAL_MONGODB_URI or mongodb_uri) as (uri, name):
            store = {"mongodb_uri": uri, "mongodb_name": name}
            changes = store if request.param == "mongodb" else {}
            async with opened_library(dsn, folder, **changes) as opened:
                await _every_state(opened)
                yield opened


async def _every_state(library: Library) -> None:
    asked: dict[str, Any] = {"transcription_requested_at": ASKED_AT}
    await library.add_done(1)
    await library.add_done(
        2, stage=Stage.TRANSCRIBED, analysis=None, crm_note=None,
        failures={
            **failed(Step.ANALYSIS, "Модель отказала: ключ", code="provider_rejected"),
            **failed(Step.NOTE, "amoCRM отказала", code="provider_rejected"),
        },
    )  # fmt: skip
    await library.add(3)
    await library.add(4, **asked)
    await library.add(5, **asked, failures=failed(Step.RECORDING, "Запись не найдена: АТС"))
    stored: dict[str, Any] = {**asked, "stage": Stage.AUDIO_STORED}
    await library.add(
        6, **stored, audio=audio("6"),
        failures=failed(
            Step.TRANSCRIPTION, "Месячный лимит", code="limit_exceeded",
            next_try_at=ASKED_AT + timedelta(days=12),
        ),
    )  # fmt: skip
    await library.add(7, stage=Stage.SKIPPED, skip_reason=SkipReason.SHORT)
    await library.add(8, stage=Stage.DISCOVERED, recording_url=None, phone="", lead_name="")
    await library.add_done(1, client_id=FOREIGN)


async def _calls(library: Library, **query: Any) -> dict[int, dict[str, Any]]:
    answer = await library.doors.owner.get(LIST, params=query)
    assert answer.status_code == 200, answer.text
    CallList.model_validate(answer.json())
    return {call["note_id"]: call for call in answer.json()["data"]["calls"]}


async def test_calls_list_shows_whole_documents(library: Library) -> None:
    answer = await library.doors.owner.get(LIST, params=WHOLE_DAY)
    body = answer.json()
    shaped(body, {"success": True, "message": str, "data": {"calls": [CALL], "total": 7}})
    assert answer.headers["content-type"] == "application/json"
    assert [call["note_id"] for call in body["data"]["calls"]] == [1, 2, 3, 4, 5, 6, 8]
    done, bare = body["data"]["calls"][0], body["data"]["calls"][-1]
    shaped(done, ANALYSED)
    # A criterion that was not applicable is no number: it is not there.
    assert "price" not in done["metrics"]
    assert not ANALYSED.keys() - {"metrics"} & bare.keys()
    assert bare["metrics"] == {"conversion": False}
    assert (bare["phone"], bare["contact_name"]) == ("Неизвестно", "Неизвестный контакт")
    assert (done["created_date"], done["duration_formatted"]) == ("2026-11-19 12:00:01", "1:01")
    assert done["created_date_iso"] == "2026-11-19T12:00:01+03:00"


async def test_each_failure_stands_in_its_own_field(library: Library) -> None:
    found = await _calls(library, **WHOLE_DAY)
    shown = {
        note: (call["transcription_status"], call["transcription_error"], call["analyze_status"])
        for note, call in found.items()
    }
    assert shown == {
        1: ("success", None, "success"),
        2: ("success", None, "failed"),
        3: ("pending", None, "pending"),
        4: ("processing", None, "pending"),
        5: ("failed", "Запись не найдена: АТС", "pending"),
        6: ("limit_exceeded", "Месячный лимит", "pending"),
        8: ("pending", None, "pending"),
    }
    # Words of a failed analysis are shown though a transcript is there.
    assert found[2]["analysis_error"] == "Модель отказала: ключ"
    assert found[2]["amo_transcription_error"] == "amoCRM отказала"
    assert found[1]["analysis_error"] is found[5]["analysis_error"] is None


async def test_calls_list_without_dates_is_the_whole_collection(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        await library.add(9000 + number, business_day=days_later(-30 + number // 4))
    whole = (await library.doors.owner.get(LIST)).json()["data"]
    monkeypatch.setattr(listing, "PAGE", 2)
    paged = (await library.doors.owner.get(LIST)).json()
    CallList.model_validate(paged)
    # In small pages the same calls in the same order, none twice.
    assert paged["data"] == whole
    assert whole["total"] == len(whole["calls"]) > 12
    assert {call["client_id"] for call in whole["calls"]} == {OWN, FOREIGN}


async def test_calls_list_takes_limit_and_offset(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = list(await _calls(library, **WHOLE_DAY))
    for page in (listing.PAGE, 2):
        monkeypatch.setattr(listing, "PAGE", page)
        for offset in range(9):
            query: dict[str, Any] = {**WHOLE_DAY, "limit": 3, "offset": offset}
            data = (await library.doors.owner.get(LIST, params=query)).json()["data"]
            assert [call["note_id"] for call in data["calls"]] == whole[offset : offset + 3]
            assert data["total"] == 7


async def test_pages_of_one_moment_lose_nobody(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    day, moment = days_later(40), ASKED_AT
    for number in range(7):
        await library.add(500 + number, business_day=day, started_at=moment)
    monkeypatch.setattr(listing, "PAGE", 2)
    query = CallQuery(OWN, DayRange(day, day))
    found = [page async for page in CallListing(library.app.calls).pages(query)]
    notes = [call.note_id for page in found for call in page]
    assert sorted(map(int, notes)) == list(range(500, 507))
    assert max(len(page) for page in found) == 2


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"start_date": "31.02.2026"}, 400),
        ({"start_date": RU, "end_date": "18.11.2026"}, 400),
        ({"start_date": "0001-01-01"}, 400),
        ({"start_date": "1\x002.2026"}, 400),
        ({"limit": 0}, 422),
        ({"offset": -1}, 422),
        ({"offset": 10**30}, 422),
        ({"client_id": "x" * 101}, 422),
        ({"client_id": "\x00"}, 200),
        ({"client_id": "nobody"}, 200),
    ],
)
async def test_senseless_questions_are_answered_in_one_line(
    library: Library, query: dict[str, Any], status: int
) -> None:
    answer = await library.doors.owner.get(LIST, params=query)
    assert answer.status_code == status
    if status == 400:
        assert "\n" not in answer.json()["detail"]
    if status == 200:
        assert answer.json()["data"] == {"calls": [], "total": 0}


async def test_a_key_of_one_clinic_sees_its_own_calls_alone(library: Library) -> None:
    async with await library.holder(OWN) as holder:
        calls = (await holder.get(LIST)).json()["data"]["calls"]
        assert {call["client_id"] for call in calls} == {OWN}
        (foreign,) = (await _calls(library, client_id=FOREIGN)).values()
        for path in (
            f"{LIST}?client_id={FOREIGN}",
            f"{STATUS}?client_id={FOREIGN}&start_date_str={RU}&end_date_str={RU}",
            f"/api/calls/download/{foreign['_id']}",
        ):
            assert (await holder.get(path)).status_code == 404, path
        refused = [
            await holder.post(f"/api/calls/download-and-transcribe/{foreign['_id']}"),
            await holder.post(
                f"{TRANSCRIBE}?client_id={FOREIGN}&start_date_str={RU}&end_date_str={RU}"
            ),
            await holder.post(
                "/api/transcribe", json={"audio_filename": foreign["filename_audio"]}
            ),
        ]
        assert [answer.status_code for answer in refused] == [404] * 3


async def test_who_asks_while_one_is_read_gets_a_reading_of_their_own() -> None:
    begun: list[int] = []
    gate = asyncio.Event()

    async def read() -> int:
        begun.append(len(begun))
        number = begun[-1]
        await gate.wait()
        return number

    joined: Joined[int] = Joined()
    first = asyncio.create_task(joined.ask("q", read))
    await _until(begun, [0])
    late = [asyncio.create_task(joined.ask("q", read)) for _ in range(5)]
    other = asyncio.create_task(joined.ask("another", read))
    # The late ones wait: the first reading began before they asked.
    await _until(begun, [0, 1])
    late[0].cancel()
    gate.set()
    assert await first == 0
    assert await asyncio.gather(*late[1:]) == [2] * 4
    assert await other == 1
    assert await joined.ask("q", read) == 3


async def _until(begun: list[int], wanted: list[int]) -> None:
    for _ in range(20):
        await asyncio.sleep(0)
    assert begun == wanted


async def test_a_failed_reading_fails_for_all_and_is_forgotten() -> None:
    async def broken() -> int:
        await asyncio.sleep(0)
        raise LookupError

    async def good() -> int:
        return 1

    joined: Joined[int] = Joined()
    answers = await asyncio.gather(
        *(joined.ask("q", broken) for _ in range(3)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [LookupError] * 3
    assert await joined.ask("q", good) == 1


async def _done_call(library: Library) -> dict[str, Any]:
    return (await _calls(library, **WHOLE_DAY))[1]


@pytest.mark.parametrize("path", ["download", "download-audio"])
async def test_calls_download_gives_the_recording(library: Library, path: str) -> None:
    call = await _done_call(library)
    answer = await library.doors.owner.get(f"/api/calls/{path}/{call['_id']}")
    assert (answer.status_code, answer.content) == (200, SOUND)
    assert answer.headers["content-type"] == "audio/mpeg"
    assert answer.headers["accept-ranges"] == "bytes"
    disposition = answer.headers["content-disposition"]
    assert disposition == 'attachment; filename="call_79000000001_20261119120001.mp3"'


async def test_a_recording_without_a_phone_keeps_its_stored_name(library: Library) -> None:
    call = await library.add_done(700, phone="", business_day=days_later(41))
    answer = await library.doors.owner.get(f"/api/calls/download/{call.id}")
    assert f'filename="{call.id}.mp3"' in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-99", slice(0, 100)),
        ("bytes=100-", slice(100, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=10000-99999999", slice(10000, None)),
        ("bytes=-99999999", slice(0, None)),
    ],
)
async def test_players_get_the_part_they_ask_for(library: Library, asked: str, part: slice) -> None:
    path = f"/api/calls/download/{(await _done_call(library))['_id']}"
    answer = await library.doors.owner.get(path, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, SOUND[part])
    start, end, _ = part.indices(len(SOUND))
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(SOUND)}"
    assert answer.headers["content-length"] == str(end - start)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (f"bytes={len(SOUND)}-", 416),
        ("bytes=-0", 416),
        ("bytes=5-2", 200),
        ("bytes=0-1,5-6", 200),
        ("bytes=-", 200),
        ("chars=0-1", 200),
        ("bytes=٣-٤", 200),
    ],
)
async def test_senseless_parts_are_refused_or_ignored(
    library: Library, asked: str, status: int
) -> None:
    path = f"/api/calls/download/{(await _done_call(library))['_id']}"
    answer = await library.doors.owner.get(path, headers={b"Range": asked.encode()})
    assert answer.status_code == status
    if status == 416:
        assert answer.headers["content-range"] == f"bytes */{len(SOUND)}"


async def test_an_empty_file_has_no_part() -> None:
    assert byte_range("bytes=-5", 0) == (0, 0)


@pytest.mark.parametrize("call_id", ["0123456789abcdef01234567", "x", "%00", "..%2F..%2Fkeys", "я"])
async def test_calls_download_of_nothing_is_404(library: Library, call_id: str) -> None:
    for method, path in (
        ("GET", f"/api/calls/download/{call_id}"),
        ("GET", f"/api/calls/download-audio/{call_id}"),
        ("POST", f"/api/calls/download-and-transcribe/{call_id}"),
    ):
        assert (await library.doors.owner.request(method, path)).status_code == 404, path


async def test_a_recording_whose_file_is_gone_is_404(library: Library) -> None:
    call = await library.add(701, audio=audio("gone"), business_day=days_later(41))
    assert (await library.doors.owner.get(f"/api/calls/download/{call.id}")).status_code == 404


STARTED = {
    "message": str, "total_found": int, "tasks_queued": int, "duration_seconds": float,
    "run_id": str,
}  # fmt: skip
STATUSES = {
    "overall_status": str, "total_calls": int, "progress_percentage": float,
    "status_breakdown": {"pending": int, "processing": int, "success": int, "failed": int},
}  # fmt: skip


async def _status(library: Library, day: int, **query: Any) -> dict[str, Any]:
    text = days_later(day).isoformat()
    params = {"client_id": OWN, "start_date_str": text, "end_date_str": text, **query}
    answer = await library.doors.owner.get(STATUS, params=params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    shaped(body, STATUSES)
    assert sum(body["status_breakdown"].values()) == body["total_calls"]
    return body


@pytest.mark.parametrize("path", [TRANSCRIBE, "/api/calls/transcribe"])
async def test_transcribe_by_date_range_queues_and_answers_at_once(
    library: Library, path: str
) -> None:
    day = 50 if path == TRANSCRIBE else 51
    for number in range(3):
        await library.add(day * 1000 + number, business_day=days_later(day))
    query = {
        "start_date_str": days_later(day).isoformat(),
        "end_date_str": days_later(day).strftime("%d.%m.%Y"),
        "client_id": OWN,
        "force_transcribe": "true",
        "unknown": "ignored",
    }
    assert (await _status(library, day))["overall_status"] == "pending"

    answer = await library.doors.owner.post(path, params=query)

    assert answer.status_code == 200
    shaped(answer.json(), {**STARTED, "total_found": 3, "tasks_queued": 3})
    assert "success" not in answer.json()
    status = await _status(library, day)
    assert (status["overall_status"], status["status_breakdown"]["processing"]) == ("processing", 3)
    run = await library.doors.owner.get(f"/api/runs/{answer.json()['run_id']}")
    assert run.json()["state"] == "running"


async def test_transcribe_by_date_range_says_when_minutes_are_spent(library: Library) -> None:
    changes = LimitChanges(library.app.clinics, library.app.requests, library.clock)
    query = {"start_date_str": RU, "end_date_str": RU, "client_id": FOREIGN}
    await changes.set(FOREIGN, monthly_seconds=600, month_used_seconds=600)
    answer = await library.doors.owner.post(TRANSCRIBE, params=query)
    assert answer.status_code == 403
    spent = {
        "error": str, "clinic_name": "Ромашка", "monthly_limit": 10.0, "current_usage": 10.0,
        "remaining": 0.0,
    }  # fmt: skip
    shaped(answer.json(), {"detail": spent, "code": "limit_exceeded"})
    assert "Месячный" in answer.json()["detail"]["error"]

    await changes.set(FOREIGN, monthly_seconds=60_000, weekly_seconds=0)
    refused = (await library.doors.owner.post(TRANSCRIBE, params=query)).json()
    assert "Недельный" in refused["detail"]["error"]
    await changes.set(FOREIGN, weekly_seconds=60_000)
    assert (await library.doors.owner.post(TRANSCRIBE, params=query)).status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_unknown_clinic_and_bad_dates_are_refused(library: Library, method: str) -> None:
    path = STATUS if method == "GET" else TRANSCRIBE
    days = {"start_date_str": RU, "end_date_str": RU}
    for query, status in (
        ({**days, "client_id": "nobody"}, 404),
        ({**days, "client_id": OWN, "start_date_str": "20.11.2026"}, 400),
        ({**days, "client_id": OWN, "start_date_str": "завтра"}, 400),
        ({"client_id": OWN}, 422),
    ):
        answer = await library.doors.owner.request(method, path, params=query)
        assert answer.status_code == status, query


async def test_the_status_counts_as_old_clients_expect(library: Library) -> None:
    status = await _status(library, 0)
    # Without 7 (skipped) and 8 (no recording); 6 waits for minutes.
    assert status == {
        "overall_status": "processing",
        "total_calls": 6,
        "status_breakdown": {"pending": 2, "processing": 1, "success": 2, "failed": 1},
        "progress_percentage": 50.0,
        "limit_exceeded": 1,
    }
    assert await _status(library, 300) == {
        "overall_status": "completed",
        "total_calls": 0,
        "status_breakdown": {"pending": 0, "processing": 0, "success": 0, "failed": 0},
        "progress_percentage": 0,
        "limit_exceeded": 0,
    }


ASKED = {"transcription_requested_at": ASKED_AT}
STORED = {**ASKED, "stage": Stage.AUDIO_STORED}
MESSAGE = "Причина: что делать"
CASES: list[tuple[str, str, list[dict[str, Any]]]] = [
    ("all done", "completed", []),
    ("one failed", "partial", [{**ASKED, "failures": failed(Step.RECORDING, MESSAGE)}]),
    ("nobody asked for one", "pending", [{}]),
    ("a newcomer after the request", "partial", [{"updated_at": ASKED_AT + timedelta(hours=2)}]),
    (
        "taken back after a failure",
        "partial",
        [
            {
                "cancelled_at": ASKED_AT,
                "failures": failed(Step.RECORDING, MESSAGE, next_try_at=ASKED_AT),
            }
        ],
    ),
    ("taken back", "partial", [{"cancelled_at": ASKED_AT}]),
    ("tried again in a minute", "processing", [{
        **STORED, "failures": failed(
            Step.TRANSCRIPTION, MESSAGE, next_try_at=ASKED_AT + timedelta(hours=7, minutes=1),
        ),
    }]),
    ("tried again in six hours", "partial", [{
        **ASKED, "failures": failed(
            Step.RECORDING, MESSAGE, next_try_at=ASKED_AT + timedelta(hours=13),
        ),
    }]),
    ("a provider stands still", "partial", [{
        **STORED, "failures": failed(
            Step.TRANSCRIPTION, MESSAGE, code="provider_stopped", stop="elevenlabs",
            next_try_at=ASKED_AT + timedelta(hours=7),
        ),
    }]),
    ("minutes are spent", "partial", [{
        **STORED, "failures": failed(
            Step.TRANSCRIPTION, MESSAGE, code="limit_exceeded",
            next_try_at=ASKED_AT + timedelta(days=9),
        ),
    }]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "overall", "others"), CASES, ids=[case[0] for case in CASES])
async def test_the_status_of_a_range_is_never_stuck(
    library: Library, name: str, overall: str, others: list[dict[str, Any]]
) -> None:
    """The clock stands seven hours after the request; polling ends on completed and partial."""
    day = 60 + [case[0] for case in CASES].index(name)
    await library.add_done(day * 1000, business_day=days_later(day))
    for number, changes in enumerate(others, start=1):
        await library.add(day * 1000 + number, business_day=days_later(day), **changes)
    status = await _status(library, day)
    assert status["overall_status"] == overall
    assert status["status_breakdown"]["success"] == 1


@pytest.mark.parametrize(("name", "overall", "others"), CASES, ids=[case[0] for case in CASES])
async def test_counting_agrees_with_every_single_call(
    library: Library, name: str, overall: str, others: list[dict[str, Any]]
) -> None:
    """What the list says of a call and what the status counts are the same facts."""
    text = days_later(60 + [case[0] for case in CASES].index(name)).isoformat()
    found = await _calls(library, start_date=text, client_id=OWN)
    days = DayRange(*[days_later(60 + [case[0] for case in CASES].index(name))] * 2)
    counted = await library.app.period_statuses.transcription(OWN, days)
    statuses = [call["transcription_status"] for call in found.values()]
    assert counted.success == statuses.count("success")
    assert counted.failed == statuses.count("failed")
    assert counted.limit_exceeded == statuses.count("limit_exceeded")
    assert counted.processing + counted.resting == statuses.count("processing")
    assert counted.unasked + counted.cancelled == statuses.count("pending")


async def test_a_call_that_was_asked_for_is_transcribed_again_never(library: Library) -> None:
    call = await _done_call(library)
    answer = await library.doors.owner.post(
        f"/api/calls/download-and-transcribe/{call['_id']}", params={"num_speakers": 2}
    )
    assert answer.json()["data"]["status"] == "success"
    stored: Call | None = await library.app.calls.get(call["_id"])
    assert stored is not None
    assert stored.transcript is not None
