"""The recording host over a real connection: good audio and every bad habit of PBX vendors."""

import io
import wave
from collections.abc import AsyncIterator

import httpx2
import pytest
from tests.fixtures.small_crm_server import MP3, WAV, CrmServer

from medai.sandbox.recordings import HOPS, PRIVATE_ADDRESS, unavailable_clip

NAME = "/call-0.mp3"


@pytest.fixture
async def http(crm_server: CrmServer) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=f"{crm_server.url}/recordings") as client:
        yield client


async def test_audio_comes_with_its_type_and_ranges(http: httpx2.AsyncClient) -> None:
    answer = await http.get(NAME)
    assert (answer.status_code, answer.content) == (200, MP3)
    assert answer.headers["content-type"] == "audio/mpeg"
    assert answer.headers["accept-ranges"] == "bytes"
    assert (await http.get("/call.wav")).headers["content-type"] == "audio/wav"
    head = await http.head(NAME)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(MP3))
    assert (await http.get("/unknown.mp3")).status_code == 404


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-99", 0, 100), ("bytes=100-", 100, len(MP3)), ("bytes=-50", len(MP3) - 50, len(MP3)),
     ("bytes=5000-999999", 5000, len(MP3))],
)  # fmt: skip
async def test_part_of_the_audio(
    http: httpx2.AsyncClient, asked: str, start: int, end: int
) -> None:
    answer = await http.get(NAME, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, MP3[start:end])
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(MP3)}"


async def test_impossible_range(http: httpx2.AsyncClient) -> None:
    answer = await http.get(NAME, headers={"Range": f"bytes={len(MP3)}-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(MP3)}"


@pytest.mark.parametrize(
    ("kind", "asked_status", "status"),
    [
        ("not_found", None, 404),
        ("not_found", 410, 410),
        ("late_link", None, 404),
        ("html_instead_of_audio", None, 200),
        ("server_error", None, 500),
        ("gateway_html", 504, 504),
        ("forbidden_html", None, 403),
        ("rate_limit_json", None, 429),
    ],
)
async def test_not_ready_then_audio(
    crm_server: CrmServer, http: httpx2.AsyncClient,
    kind: str, asked_status: int | None, status: int,
) -> None:  # fmt: skip
    crm_server.control.fail("recordings", kind, match="call-0", status=asked_status)
    answer = await http.get(NAME)
    assert answer.status_code == status
    assert not answer.headers["content-type"].startswith("audio/")
    assert (await http.get("/call.wav")).content == WAV
    assert (await http.get(NAME)).content == MP3


async def test_truncated_audio_looks_whole(crm_server: CrmServer, http: httpx2.AsyncClient) -> None:
    crm_server.control.fail("recordings", "truncated_audio")
    answer = await http.get(NAME)
    assert answer.content == MP3[: len(MP3) // 2]
    assert answer.headers["content-length"] == str(len(answer.content))


async def test_unavailable_clip_is_short_audio(
    crm_server: CrmServer, http: httpx2.AsyncClient
) -> None:
    crm_server.control.fail("recordings", "unavailable_clip")
    answer = await http.get(NAME)
    assert answer.content == unavailable_clip()
    assert answer.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(answer.content)) as clip:
        assert clip.getnframes() / clip.getframerate() == 2.0


async def test_one_time_link(crm_server: CrmServer, http: httpx2.AsyncClient) -> None:
    crm_server.control.fail("recordings", "one_time_link", match="call-0")
    assert (await http.get(NAME)).content == MP3
    assert [(await http.get(NAME)).status_code for _ in range(2)] == [410, 410]
    assert (await http.get("/call.wav")).status_code == 200
    crm_server.control.reset()
    assert (await http.get(NAME)).content == MP3


async def test_redirects(crm_server: CrmServer, http: httpx2.AsyncClient) -> None:
    crm_server.control.fail("recordings", "redirect_chain")
    answer = await http.get(NAME, follow_redirects=True)
    assert answer.content == MP3
    assert len(answer.history) == HOPS
    crm_server.control.fail("recordings", "redirect_private")
    answer = await http.get(NAME)
    assert answer.status_code == 302
    assert answer.headers["location"] == f"{PRIVATE_ADDRESS}call-0.mp3"


async def test_slow_stream_is_whole_in_the_end(
    crm_server: CrmServer, http: httpx2.AsyncClient
) -> None:
    crm_server.control.fail("recordings", "slow_stream", seconds=0.3)
    async with http.stream("GET", NAME) as answer:
        slices = [part async for part in answer.aiter_raw()]
    assert len(slices) > 1
    assert b"".join(slices) == MP3
    assert answer.headers["content-length"] == str(len(MP3))


@pytest.mark.parametrize("kind", ["reset", "reset_after_commit"])
async def test_closed_connection(
    crm_server: CrmServer, http: httpx2.AsyncClient, kind: str
) -> None:
    crm_server.control.fail("recordings", kind)
    with pytest.raises(httpx2.TransportError):
        await http.get(NAME)


async def test_requests_are_in_the_ledger(crm_server: CrmServer, http: httpx2.AsyncClient) -> None:
    await http.head(NAME)
    await http.get("/unknown.mp3")
    requests = crm_server.server.app.state.sandbox.ledger.recording_requests()
    assert [(request.method, request.name) for request in requests] == [
        ("HEAD", "call-0.mp3"),
        ("GET", "unknown.mp3"),
    ]
