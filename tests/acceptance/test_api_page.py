"""docs/api.md as its reader types it: every command is run, in order, and works."""

import asyncio
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from tests.fixtures.application import API_KEY
from tests.fixtures.sandbox import DAY, RunningSandbox
from tests.fixtures.service import doors_of, working

from medai.bootstrap import Application
from medai.members.models import Role

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
_BLOCK = re.compile(r"^```\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_RECORDING_CURL = r"""curl() { printf '%s\0' "$@"; printf '\1'; }; """
"""Bash splits and quotes the words; what curl would be given is printed instead."""
_LEARNED = ("KEY_ID", "ID", "CALL", "NOTE", "FILE")
"""What the reader takes from an answer: it stands as <NAME> in the commands until then."""
_ENDED = {"completed", "partial"}
_DEADLINE_SECONDS = 120
_POLL_SECONDS = 0.1
_TELEGRAM_ID = 501


@dataclass(slots=True)
class Command:
    """One `curl` of the page."""

    url: str = ""
    method: str = "GET"
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


def commands(page: str, environment: dict[str, str]) -> Iterator[Command]:
    """All of them, their words as bash gives them."""
    for block in _BLOCK.findall(page):
        script = "\n".join(line for line in block.splitlines() if not line.startswith("export "))
        known = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **environment}
        printed = subprocess.run(  # noqa: S603 - our own page
            ["/bin/bash", "-euc", _RECORDING_CURL + script],
            env=known, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        for words in printed.split("\1")[:-1]:
            yield command(words.split("\0")[:-1])


def command(words: list[str]) -> Command:
    """What curl does with these words; an unknown option fails the test."""
    found, rest = Command(), iter(words)
    for word in rest:
        match word:
            case "-s" | "-fsSOJ":
                pass
            case "-X":
                found.method = next(rest)
            case "-d":
                found.body = next(rest)
            case "-H":
                name, _, value = next(rest).partition(": ")
                found.headers[name] = value
            case _ if not word.startswith("-"):
                found.url = word
            case _:
                raise AssertionError(f"curl is not asked for {word} anywhere")
    return found


@dataclass(slots=True)
class Reader:
    """Somebody who types the commands and keeps what the answers say."""

    client: httpx2.AsyncClient
    known: dict[str, str] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)

    async def type(self, command: Command) -> None:
        """Send it; a question about work is asked again until the work has ended."""
        url = re.sub(r"<(\w+)>", lambda name: self.known[name[1]], command.url)
        answer = await self._answered(command, url)
        assert answer.status_code in (200, 201, 204), f"{url}: {answer.text}"
        self.typed.append(f"{command.method} {url}")
        if "json" in answer.headers.get("content-type", "") and answer.content:
            self._learn(url, answer.json())

    async def _answered(self, command: Command, url: str) -> httpx2.Response:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            while True:
                answer = await self.client.request(
                    command.method, url, headers=command.headers, content=command.body
                )
                if _is_final(answer):
                    return answer
                await asyncio.sleep(_POLL_SECONDS)

    def _learn(self, url: str, body: dict[str, Any]) -> None:
        assert body.get("success", True), f"{url}: {body}"
        if url.endswith("/admin/keys") and "id" in body:
            self.known["KEY_ID"] = body["id"]
        if url.endswith("/admin/invitations"):
            self.known["ID"] = body["id"]
        if "/calls/list" in url:
            call = next(one for one in body["data"]["calls"] if one["analyze_status"] == "success")
            self.known.update(
                CALL=call["_id"], NOTE=str(call["note_id"]), FILE=call["filename_transcription"]
            )


def _is_final(answer: httpx2.Response) -> bool:
    path = answer.request.url.path
    if path.endswith("/export-results"):
        return answer.status_code != 404
    if path.endswith("-status"):
        return answer.status_code != 200 or answer.json()["overall_status"] in _ENDED
    return True


async def come_in(application: Application, client_id: str) -> None:
    """Somebody whom the page's reader can take out again."""
    _, code = await application.invitations.create(client_id, Role.MANAGER, by="cli")
    await application.invitations.accept(code, _TELEGRAM_ID, "Ольга")


async def test_every_command_of_the_page_works(
    application: Application, sandbox: RunningSandbox
) -> None:
    clinic = sandbox.control.clinics()[0]
    environment = {
        "API": "http://testserver", "KEY": API_KEY, "DAY": f"{DAY:%d.%m.%Y}",
        "CLINIC": clinic["client_id"],
        "SECRET": clinic["client_secret"], "CODE": clinic["auth_code"],
        "SUBDOMAIN": clinic["subdomain"], "REDIRECT": clinic["redirect_url"],
        "TELEGRAM_ID": str(_TELEGRAM_ID),
        **{name: f"<{name}>" for name in _LEARNED},
    }  # fmt: skip
    page = PAGE.read_text(encoding="utf-8")

    async with doors_of(application) as doors, working(application):
        reader = Reader(doors.stranger)
        for one in commands(page, environment):
            if "/admin/members?" in one.url:
                await come_in(application, clinic["client_id"])
            await reader.type(one)

    assert len(reader.typed) == len(re.findall(r"^curl ", page, re.MULTILINE))
