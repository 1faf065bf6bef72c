"""A signed link opens its own file until it expires; altered in whatever way, it opens nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import pytest_asyncio
from fastapi import FastAPI
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.fixtures.call_library import FOREIGN, OWN, SOUND, Library, opened_library
from tests.fixtures.stores import empty_database

from medai.api.access import OPEN_PATHS
from medai.api.app import create_api

pytestmark = pytest.mark.asyncio(loop_scope="module")

DENIED = {"detail": "Invalid or missing API key"}
EXAMPLES = 250
REPORT = "call_report_01_11_2026-19_11_2026.pdf"
TEMPLATES = {
    "/api/calls/download/{call_id}",
    "/api/transcriptions/{filename}/download",
    "/api/analysis/{filename}/download",
    "/api/call/reports/{filename}/download",
}
"""The only routes that a link opens (contract 0)."""


@dataclass(frozen=True, slots=True)
class Link:
    path: str
    expires: str
    signature: str

    @property
    def target(self) -> str:
        return f"{self.path}?expires={self.expires}&signature={self.signature}"


@dataclass(frozen=True, slots=True)
class Site:
    """The API as a server calls it, and links to files of two clinics."""

    library: Library
    api: FastAPI
    links: tuple[Link, ...]

    async def get(self, target: str, method: str = "GET") -> tuple[int, bytes]:
        """Status and body; the target is taken to pieces as uvicorn does it."""
        raw, _, query = target.encode().partition(b"?")
        scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "http", "root_path": "", "server": ("testserver", 80),
            "client": ("127.0.0.1", 1), "headers": [(b"host", b"testserver")],
            "path": unquote(raw.decode()), "raw_path": raw, "query_string": query,
        }  # fmt: skip
        status, body = 0, b""
        incoming = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> dict[str, Any]:
            if not incoming:
                await asyncio.Event().wait()  # the client stays until it has its answer
            return incoming.pop()

        async def send(message: Any) -> None:
            nonlocal status, body
            status = message.get("status", status)
            body += message.get("body", b"")

        await self.api(scope, receive, send)
        return status, body


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(
    postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    with empty_database(postgres_server) as dsn:
        folder = tmp_path_factory.mktemp("links")
        async with opened_library(dsn, folder, api_requests_per_minute=0) as library:
            links = await _links(library)
            yield Site(library, create_api(library.app), links)


async def _links(library: Library) -> tuple[Link, ...]:
    calls = [await library.add_done(1, client_id=client_id) for client_id in (OWN, FOREIGN)]
    await library.app.files.write(f"reports/{REPORT}", b"%PDF-")
    signed = [library.app.links.recording_url(call) for call in calls]
    signed += [library.app.links.transcript_url(call) for call in calls]
    query = library.app.signer.sign(
        f"/call/reports/{REPORT}/download", expires_at=datetime(2027, 6, 1, tzinfo=UTC)
    )
    signed.append(f"http://testserver/api/call/reports/{REPORT}/download?{query}")
    return tuple(_taken_apart(url.removeprefix("http://testserver")) for url in signed)


def _taken_apart(target: str) -> Link:
    path, _, query = target.partition("?")
    expires, signature = (part.partition("=")[2] for part in query.split("&"))
    return Link(path, expires, signature)


PIECES = [
    "/", "//", "/.", "/./", "/..", "/../", "..", "%2e", "%2E%2E", "%2f", "%2F", "%00", "%09",
    "%0d%0a", "%5c", "\\", ";", ";x", "%3F", "%23", "%20", "%25", "%252e", "%252f", "x", "0",
    "/download", "..;/", "%c0%ae", "%ff", "@", "//evil.example",
]  # fmt: skip
FOREIGN_QUERIES = ["", "expires=", "signature=", "expires=1", "signature=0", "Expires=1"]


@st.composite
def altered(draw: st.DrawFn, links: tuple[Link, ...]) -> str:
    """A target that differs from every good one."""
    link = draw(st.sampled_from(links))
    path, query = link.path, f"expires={link.expires}&signature={link.signature}"
    kind = draw(
        st.sampled_from(["path", "piece", "case", "encoded", "expires", "signature", "query"])
    )
    place = draw(st.integers(0, len(path)))
    letter = draw(st.integers(0, len(path) - 1))
    if kind == "path":
        others = st.sampled_from([one.path for one in links])
        path = draw(others | st.sampled_from([f"{path}{piece}" for piece in PIECES]))
    elif kind == "piece":
        path = (
            path[:place] + draw(st.sampled_from(PIECES)) + path[place + draw(st.integers(0, 2)) :]
        )
    elif kind == "case":
        path = path[:letter] + path[letter].swapcase() + path[letter + 1 :]
    elif kind == "encoded":
        path = f"{path[:letter]}%{ord(path[letter]):02x}{path[letter + 1 :]}"
    elif kind == "expires":
        moment = draw(st.integers(-1, 10**12).map(str) | st.sampled_from(["", "٣", "1e9", "NaN"]))
        padded = st.sampled_from([f"0{link.expires}", f"+{link.expires}", f"{link.expires}%20"])
        query = f"expires={draw(st.just(moment) | padded)}&signature={link.signature}"
    elif kind == "signature":
        query = f"expires={link.expires}&signature={draw(_signatures(link, links))}"
    else:
        extra = draw(st.sampled_from([*FOREIGN_QUERIES, query]))
        pieces = draw(st.permutations([extra, *query.split("&")[: draw(st.integers(0, 2))]]))
        query = "&".join(pieces)
    return f"{path}?{query}"


def _signatures(link: Link, links: tuple[Link, ...]) -> st.SearchStrategy[str]:
    own = link.signature
    changed = st.integers(0, len(own) - 1).map(
        lambda at: own[:at] + ("0" if own[at] != "0" else "1") + own[at + 1 :]
    )
    cut = st.integers(0, len(own) - 1).map(lambda at: own[:at])
    others = st.sampled_from([one.signature for one in links])
    forms = st.sampled_from([own.upper(), f"{own}0", f"%20{own}", f"{own}%00", "", "я"])
    return changed | cut | others | forms | st.from_regex(r"[0-9a-f]{64}", fullmatch=True)


def _is_good(target: str, links: tuple[Link, ...]) -> bool:
    """Whether the target still says exactly what a link says: the order of the two does not
    matter, nor do parameters that nobody knows."""
    path, _, query = target.partition("?")
    given = [part.partition("=")[::2] for part in query.split("&")]
    of = {name: [value for key, value in given if key == name] for name in ("expires", "signature")}
    return any(
        (path, of) == (one.path, {"expires": [one.expires], "signature": [one.signature]})
        for one in links
    )


async def test_a_true_link_opens_its_file_without_a_key(site: Site) -> None:
    for link in site.links:
        status, body = await site.get(link.target)
        assert status == 200, link.path
        swapped = f"{link.path}?signature={link.signature}&expires={link.expires}"
        assert (await site.get(swapped))[0] == 200
        if "/calls/download/" in link.path:
            assert body == SOUND
        assert (await site.get(link.path))[0] == 401
        assert (await site.get(link.target, "POST"))[0] == 401


@settings(max_examples=EXAMPLES)
@given(data=st.data())
async def test_an_altered_link_opens_nothing(site: Site, data: st.DataObject) -> None:
    target = data.draw(altered(site.links))
    assume(not _is_good(target, site.links))
    assume(target.isascii() or "я" in target or "٣" in target)
    status, body = await site.get(target)
    assert (status, json.loads(body)) == (401, DENIED), target


@settings(max_examples=EXAMPLES)
@given(st.text(max_size=60), st.integers(0, 4))
async def test_a_signature_opens_no_other_path(site: Site, path: str, number: int) -> None:
    link = site.links[number]
    _, _, query = link.target.partition("?")
    other = "/api/" + "".join(letter for letter in path if letter not in "?#")
    assume(unquote(other) not in OPEN_PATHS and other != link.path)
    assume(not any("\ud800" <= letter <= "\udfff" for letter in other))
    assert (await site.get(f"{other}?{query}"))[0] == 401


@settings(max_examples=40)
@given(st.integers(0, 4), st.integers(0, 10**8))
async def test_a_link_opens_until_it_expires(site: Site, number: int, seconds: int) -> None:
    link, clock = site.links[number], site.library.clock
    now, end = clock.now, datetime.fromtimestamp(int(link.expires), UTC)
    try:
        clock.now = end - timedelta(milliseconds=1)
        assert (await site.get(link.target))[0] == 200
        clock.now = end + timedelta(seconds=seconds)
        assert (await site.get(link.target))[0] == 401
    finally:
        clock.now = now


@pytest.fixture(params=["signed", "legacy"])
async def mode(
    request: pytest.FixtureRequest, prepared_dsn: str, tmp_path: Path
) -> AsyncIterator[tuple[str, Site]]:
    kind: str = request.param
    changes: dict[str, Any] = {"medai_open_links": kind, "api_requests_per_minute": 0}
    async with opened_library(prepared_dsn, tmp_path, **changes) as library:
        yield kind, Site(library, create_api(library.app), ())


@pytest.mark.asyncio(loop_scope="function")
async def test_legacy_opens_exactly_the_file_routes(mode: tuple[str, Site]) -> None:
    kind, site = mode
    description = site.api.openapi()
    for template, operations in description["paths"].items():
        path = template.replace("{", "").replace("}", "")
        for method in operations:
            status, _ = await site.get(path, method.upper())
            is_open = kind == "legacy" and template in TEMPLATES and method == "get"
            if template not in OPEN_PATHS:
                assert (status != 401) == is_open, (method, template)


@pytest.mark.asyncio(loop_scope="function")
async def test_legacy_is_no_way_around_the_file_routes(mode: tuple[str, Site]) -> None:
    _, site = mode
    for path in (
        "/api/transcriptions/search", "/api/transcriptions", "/api/calls/download/",
        "/api/calls/download/../list", "/api/calls/download/%2e%2e", "/api/calls/download/a%2fb",
        "/api/calls//download/a", "//api/calls/download/a", "/api/calls/download/a/",
        "/api/calls/download/%09", "/api/Calls/download/a", "/api/transcriptions/a/download/b",
        "/api/transcriptions/a/DOWNLOAD", "/api/call/reports/..%5c..%5ckey/download",
        "/api/amocrm/note/1/transcript/download", "/api/calls/download-audio/a",
        "/api/calls/download/a%00", "/x/api/calls/download/a", "/calls/download/a",
    ):  # fmt: skip
        assert (await site.get(f"{path}?client_id={OWN}"))[0] == 401, path
