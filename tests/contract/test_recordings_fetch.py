"""Fetching by foreign links over real sockets: loopback servers, TLS and proxies."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.fixtures.raw_http import certificate, raw_server, reply, socks_proxy
from tests.fixtures.sandbox import RunningSandbox
from tests.fixtures.stores import free_port

from medai.errors import RecordingError
from medai.integrations.recordings.fetch import Fetched, RecordingFetcher
from medai.integrations.recordings.options import FetchOptions
from medai.integrations.recordings.probe import probe

AUDIO = b"ID3" + bytes(range(256)) * 20
LOOPBACK = ("127.0.0.1",)


def resolver_to(*addresses: str) -> Callable[[str, int], Awaitable[tuple[str, ...]]]:
    async def resolver(host: str, port: int) -> tuple[str, ...]:
        return addresses

    return resolver


async def fetched(url: str, fetcher: RecordingFetcher | None = None) -> Fetched:
    fetcher = fetcher or RecordingFetcher(FetchOptions(allow_hosts=LOOPBACK))
    try:
        return await fetcher.fetch(url)
    finally:
        await fetcher.aclose()


async def refused(url: str, fetcher: RecordingFetcher | None = None) -> RecordingError:
    with pytest.raises(RecordingError) as caught:
        await fetched(url, fetcher)
    assert "127.0.0.1" not in caught.value.message
    return caught.value


async def test_audio_comes_with_its_type_and_host() -> None:
    async with raw_server(reply(AUDIO)) as server:
        got = await fetched(f"{server.url}/rec.mp3?token=1")
    assert got == Fetched(AUDIO, "audio/mpeg", "127.0.0.1")
    head = server.heads[0].lower()
    assert head.startswith("get /rec.mp3?token=1 http/1.1")
    assert "authorization" not in head
    assert "cookie" not in head
    assert "accept-encoding: identity" in head


async def test_loopback_is_refused_unless_listed() -> None:
    async with raw_server(reply(AUDIO)) as server:
        for url in (server.url, f"http://localhost:{server.port}/", f"http://127.1:{server.port}"):
            assert (await refused(url, RecordingFetcher(FetchOptions()))).final
        assert server.heads == []


async def test_a_redirect_is_checked_like_the_link_itself() -> None:
    async with raw_server(reply(AUDIO)) as inner:
        # Another spelling of the same address is not in the allow list.
        to_inner = f"Location: http://localhost:{inner.port}/secret\r\n"
        async with raw_server(reply(b"", status="302 Found", extra=to_inner)) as outer:
            assert (await refused(outer.url)).final
        assert inner.heads == []


async def test_the_checked_address_is_the_one_connected_to() -> None:
    """A name that would resolve elsewhere the second time is resolved only once."""
    answers = iter([LOOPBACK, ("10.0.0.1",)])

    async def rebinding(host: str, port: int) -> tuple[str, ...]:
        return next(answers)

    async with raw_server(reply(AUDIO)) as server:
        options = FetchOptions(allow_hosts=("records.example",))
        got = await fetched(
            f"http://records.example:{server.port}/a", RecordingFetcher(options, resolver=rebinding)
        )
    assert got.final_url_host == "records.example"
    assert f"host: records.example:{server.port}" in server.heads[0].lower()


async def test_tls_is_verified_against_the_name_not_the_address(tmp_path: Path) -> None:
    server_tls, client_tls = certificate(tmp_path, "records.example")
    options = FetchOptions(allow_hosts=("records.example", "other.example"))

    def fetcher() -> RecordingFetcher:
        return RecordingFetcher(options, resolver=resolver_to("127.0.0.1"), tls=client_tls)

    async with raw_server(reply(AUDIO), tls=server_tls) as server:
        got = await fetched(f"https://records.example:{server.port}/a", fetcher())
        assert got.data == AUDIO
        assert not (await refused(f"https://other.example:{server.port}/a", fetcher())).final
        public_only = RecordingFetcher(options, resolver=resolver_to("127.0.0.1"))
        await refused(f"https://records.example:{server.port}/a", public_only)
    assert len(server.heads) == 1


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    async with raw_server(reply(AUDIO)) as server:
        options = FetchOptions(allow_hosts=("records.example",))
        fetcher = RecordingFetcher(options, resolver=resolver_to("::1", "127.0.0.1"))
        assert (await fetched(f"http://records.example:{server.port}/", fetcher)).data == AUDIO


@pytest.mark.parametrize(
    "url",
    [
        "ftp://records.example/a",
        "file:///etc/passwd",
        "/a",
        "",
        "http://",
        "http://[::1",
        "data:,a",
    ],
)
async def test_other_schemes_and_broken_links_are_final(url: str) -> None:
    assert (await refused(url)).final


@pytest.mark.parametrize(
    ("status", "final"),
    [
        ("400 Bad", True), ("404 Not Found", True), ("410 Gone", True), ("401 No", False),
        ("403 Forbidden", False), ("429 Many", False), ("500 Error", False), ("503 Busy", False),
        ("304 Not Modified", False),
    ],
)  # fmt: skip
async def test_statuses(status: str, final: bool) -> None:
    async with raw_server(reply(AUDIO, status=status)) as server:
        assert (await refused(server.url)).final is final


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<!DOCTYPE html>" + b" " * 2000, "text/html"),
        (b"\xef\xbb\xbf\n <html>" + b" " * 2000, "audio/mpeg"),
        (b'{"error": "not ready"}' + b" " * 2000, "application/octet-stream"),
        (b" " * 2000, "application/json; charset=utf-8"),
        (AUDIO[:999], "audio/mpeg"),
    ],
)
async def test_pages_and_stubs_are_not_ready_yet(body: bytes, kind: str) -> None:
    async with raw_server(reply(body, kind=kind)) as server:
        assert not (await refused(server.url)).final


async def test_partial_content_and_a_plain_type_are_audio_too() -> None:
    answer = reply(AUDIO, status="206 Partial Content", kind="application/octet-stream")
    async with raw_server(answer) as server:
        assert (await fetched(server.url)).data == AUDIO


async def test_size_is_capped_while_streaming() -> None:
    endless = b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n" + AUDIO * 50
    async with raw_server(endless) as server:
        fetcher = RecordingFetcher(FetchOptions(allow_hosts=LOOPBACK, max_bytes=10_000))
        assert (await refused(server.url, fetcher)).final


async def test_a_broken_off_body_is_tried_again_later() -> None:
    async with raw_server(reply(AUDIO)[:-100]) as server:
        assert not (await refused(server.url)).final


async def test_a_circle_of_redirects_ends() -> None:
    async with raw_server(reply(b"", status="302 Found", extra="Location: /again\r\n")) as server:
        assert not (await refused(server.url)).final
    assert len(server.heads) == 6


async def test_cookies_are_not_kept() -> None:
    def answer(head: str) -> bytes:
        cookie = "Set-Cookie: a=b\r\n"
        if head.startswith("GET /first"):
            return reply(b"", status="302 Found", extra=f"{cookie}Location: /second\r\n")
        return reply(AUDIO, extra=cookie)

    async with raw_server(answer) as server:
        await fetched(f"{server.url}/first")
    assert all("cookie" not in head.lower() for head in server.heads)


async def test_a_login_in_the_link_is_used_and_not_carried_to_another_host() -> None:
    async with raw_server(reply(AUDIO)) as other:
        away = f"Location: http://other.example:{other.port}/b\r\n"
        async with raw_server(reply(b"", status="302 Found", extra=away)) as own:
            fetcher = RecordingFetcher(
                FetchOptions(allow_hosts=("pbx.example", "other.example")),
                resolver=resolver_to("127.0.0.1"),
            )
            await fetched(f"http://user:word@pbx.example:{own.port}/a", fetcher)
    assert "authorization: basic" in own.heads[0].lower()
    assert "authorization" not in other.heads[0].lower()


async def test_proxied_hosts_go_through_socks_with_remote_names() -> None:
    async with raw_server(reply(AUDIO)) as server, socks_proxy(server.port) as (port, asked):
        options = FetchOptions(
            proxy=SecretStr(f"socks5://us:word@127.0.0.1:{port}"),
            proxy_hosts=("media.comagic.ru",),
        )
        fetcher = RecordingFetcher(options, resolver=resolver_to("10.0.0.1"))
        assert (await fetched("http://media.comagic.ru/a", fetcher)).data == AUDIO
    assert asked == [("us:word", "media.comagic.ru")]


async def test_without_the_proxy_the_direct_route_is_tried() -> None:
    async with raw_server(reply(AUDIO)) as server:
        options = FetchOptions(
            allow_hosts=("media.comagic.ru",),
            proxy=SecretStr(f"socks5://127.0.0.1:{free_port()}"),
            proxy_hosts=("media.comagic.ru",),
        )
        fetcher = RecordingFetcher(options, resolver=resolver_to("127.0.0.1"))
        assert (await fetched(f"http://media.comagic.ru:{server.port}/a", fetcher)).data == AUDIO


async def test_the_simulators_recordings_are_fetched_and_measured(sandbox: RunningSandbox) -> None:
    calls = [
        call for clinic in sandbox.world.clinics for call in clinic.calls
        if call.recording and call.dialogue
    ]  # fmt: skip
    host = sandbox.url.removeprefix("http://")
    fetcher = RecordingFetcher(FetchOptions(allow_hosts=(host,)))
    for call in calls[:6]:
        got = await fetcher.fetch(f"{sandbox.url}/recordings/{call.recording}")
        facts = probe(got.data)
        assert call.dialogue is not None
        assert facts.seconds == pytest.approx(call.dialogue.seconds, abs=0.1)
        assert facts.distinct_channels == (call.dialogue.channels == 2)
    await fetcher.aclose()


@pytest.mark.parametrize(
    ("kind", "seconds", "final"),
    [
        ("html_instead_of_audio", 0, False), ("redirect_private", 0, True),
        ("server_error", 0, False), ("reset", 0, False), ("reset_after_commit", 0, False),
        ("not_found", 0, True),
        ("rate_limit_json", 0, False), ("gateway_html", 0, False), ("timeout", 0, False),
        ("slow_stream", 20, False),
    ],
)  # fmt: skip
async def test_the_simulators_faults_have_their_meaning(
    sandbox: RunningSandbox, kind: str, seconds: float, final: bool
) -> None:
    name = next(c.recording for k in sandbox.world.clinics for c in k.calls if c.recording)
    sandbox.control.fail("recordings", kind, seconds=seconds)
    host = sandbox.url.removeprefix("http://")
    fetcher = RecordingFetcher(FetchOptions(allow_hosts=(host,), timeout_seconds=0.7))
    error = await refused(f"{sandbox.url}/recordings/{name}", fetcher)
    assert error.final is final


async def test_a_chain_of_redirects_leads_to_the_audio(sandbox: RunningSandbox) -> None:
    name = next(c.recording for k in sandbox.world.clinics for c in k.calls if c.recording)
    sandbox.control.fail("recordings", "redirect_chain")
    host = sandbox.url.removeprefix("http://")
    got = await fetched(
        f"{sandbox.url}/recordings/{name}", RecordingFetcher(FetchOptions(allow_hosts=(host,)))
    )
    assert got.data


async def test_many_downloads_share_the_slots() -> None:
    async with raw_server(reply(AUDIO)) as server:
        fetcher = RecordingFetcher(FetchOptions(allow_hosts=LOOPBACK, concurrency=3))
        got = await asyncio.gather(*(fetcher.fetch(f"{server.url}/{n}") for n in range(30)))
        await fetcher.aclose()
    assert len(got) == len(server.heads) == 30
