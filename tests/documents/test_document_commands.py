"""Commands of the documents: each is known, each `medai …` is understood, those of blocks are run.

The reader's placeholders become what an installation over the sandbox has: a clinic with its day
done, a run, a key, a person of the bot.
"""

import asyncio
import logging
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
import structlog
import typer
from tests.acceptance.test_api_page import Command as Request
from tests.acceptance.test_api_page import command as curl
from tests.documents.reading import ROOT, Command, commands, documents, inline, text
from tests.documents.ways import HERE, Way, way
from tests.fixtures.bot_chat import Person
from tests.fixtures.command_line import command_line
from tests.fixtures.sandbox import DAY
from tests.fixtures.stores import empty_database
from typer.testing import CliRunner

from medai.bootstrap import open_application
from medai.bot.running import run_bot
from medai.cli.app import app
from medai.cli.running import EXIT_CODES
from medai.kit.clock import utc_now
from medai.kit.ids import random_id
from medai.members.models import Role
from medai.processing.runs import Run, RunKind
from medai.sandbox import credentials
from medai.sandbox.audio.store import AudioStore
from medai.sandbox.audio.tones import ToneMaker
from medai.sandbox.client import Control
from medai.sandbox.server import SandboxServer
from medai.sandbox.world.bulk import generate_bulk
from medai.settings import Settings

ALL = [command for name in documents() for command in commands(name)]
OURS = [command for command in ALL if command.program == "medai"]
_CALLS = 3
_TELEGRAM_ID = 900000001


@pytest.mark.parametrize("name", documents())
def test_every_command_is_run_somewhere_or_has_a_reason(name: str) -> None:
    unknown = [str(one) for one in commands(name) if way(one) is None]
    assert unknown == [], "add how they are known to work to tests/documents/ways.py"


def test_the_tests_that_run_commands_exist() -> None:
    named = {found.test for one in ALL if (found := way(one)) and found.test}
    assert [test for test in named if not (ROOT / test).exists()] == []


@pytest.mark.parametrize("name", documents())
def test_every_medai_line_is_understood(name: str) -> None:
    for command in commands(name):
        _parsed(_medai_words(command))
    for words in inline(name, "medai"):
        _known(words)


@pytest.mark.parametrize("name", documents())
def test_make_targets_exist(name: str) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", text("Makefile"), re.MULTILINE))
    named = [list(one.words[1:]) for one in commands(name) if one.program == "make"]
    for words in [*named, *inline(name, "make")]:
        assert {word for word in words if "=" not in word} <= targets, words


def _medai_words(command: Command) -> list[str]:
    """What `medai` is given, in a container and under sudo too; `--help` when it is not there."""
    starts = {"docker": "medai", "sudo": ".venv/bin/medai"}
    words = list(command.words)
    if command.program != "medai":
        start = starts.get(command.program)
        words = words[words.index(start) :] if start in words else []
    return words[1:] or ["--help"]


def _found(words: list[str]) -> tuple[Any, list[str]]:
    """The command the words lead to, and the words that are left."""
    command: Any = typer.main.get_command(app)
    rest = list(words)
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        assert rest[0] in command.commands, f"medai {shlex.join(words)}: no such command"
        command = command.commands[rest.pop(0)]
    return command, rest


def _known(words: list[str]) -> None:
    """Running text leaves options out, but names none that is not there."""
    if words[:1] == ["COMMAND"]:
        return
    command, rest = _found(words)
    known = {"--help"} | {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
    assert {one.partition("=")[0] for one in rest if one.startswith("--")} <= known, words


def _parsed(words: list[str]) -> None:
    """A block is typed as it stands: everything that is needed is there."""
    command, rest = _found(words)
    if "--help" not in rest:
        command.make_context("medai", list(rest))


@dataclass(slots=True)
class Reader:
    """Types commands as the documents tell; `said` is the answer to the last one."""

    url: str
    control: Control
    audio: AudioStore
    folder: Path
    patch: pytest.MonkeyPatch
    meant: dict[str, str] = field(default_factory=dict)
    said: str = ""

    def type(self, *words: str) -> int:
        """The exit code of `medai <words>`."""
        ended = CliRunner().invoke(app, [self._as_meant(word) for word in words])
        self.said = ended.output
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return ended.exit_code

    def make_ready(self, words: tuple[str, ...]) -> None:
        """What a person does before the command: copies secrets, has a request to cancel."""
        if words[:2] == ("clinics", "add"):
            self.consent(by_token="--redirect-url" not in words)
        if words[:2] == ("runs", "cancel"):
            self.request()

    def request(self) -> None:
        """A request for work that nobody has begun."""
        asyncio.run(_requested(self.meant["CLINIC"]))
        self.learn("RUN", "runs", "list")

    def consent(self, *, by_token: bool = False) -> None:
        """What a person copies from amoCRM's page, new each time."""
        account = f"/amocrm/{self.meant['alpha-dent']}"
        for name in ("AMOCRM_TOKEN", "AMOCRM_CLIENT_SECRET", "AMOCRM_AUTH_CODE"):
            self.patch.delenv(name, raising=False)
        if by_token:
            token = self.control.post(f"{account}/tokens", days=30)["access_token"]
            self.patch.setenv("AMOCRM_TOKEN", token)
            return
        self.patch.setenv("AMOCRM_CLIENT_SECRET", self.meant["secret"])
        self.patch.setenv("AMOCRM_AUTH_CODE", self.control.post(f"{account}/code")["code"])

    def learn(self, word: str, *words: str) -> None:
        """The number that a list begins a line with is what the word means."""
        assert self.type(*words) == 0
        self.meant[word] = re.findall(r"^([0-9a-f]{8,})\b", self.said, re.MULTILINE)[0]

    def _as_meant(self, word: str) -> str:
        if word.endswith(".mp3"):
            return self.meant["recording"]
        known = self.meant.get(word.removeprefix("$"), word)
        return re.sub(r"\b\d\d\.\d\d\.2026\b|\b2026-\d\d-\d\d\b", DAY.isoformat(), known)


@pytest.fixture(scope="module")
def reader(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    world = generate_bulk(seed=3, day=DAY, calls=_CALLS, shared_recordings=_CALLS)
    audio = AudioStore(world, tmp_path_factory.mktemp("recordings"), ToneMaker())
    folder, level = tmp_path_factory.mktemp("reader"), logging.root.level
    handlers = logging.root.handlers[:]
    with (
        SandboxServer(world, audio) as server,
        Control(server.url) as control,
        empty_database(postgres_server) as dsn,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in command_line(server.url, dsn, folder).settings.items():
            patch.setenv(name, value)
        patch.setenv("TELEGRAM_API_BASE_URL", f"{server.url}/telegram")
        patch.setenv("LOG_LEVEL", "ERROR")
        patch.chdir(folder)
        yield _prepared(Reader(server.url, control, audio, folder, patch))
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


def _prepared(reader: Reader) -> Reader:
    (clinic,) = reader.control.clinics()
    content = asyncio.run(reader.audio.content(reader.audio.names[0]))
    (file := reader.folder / "recording.wav").write_bytes(content or b"")
    reader.meant = {
        "CLINIC": clinic["client_id"],
        "fbee67cc-69be-596e-abf8-9b5a5da92716": clinic["client_id"],
        "alpha-dent": clinic["subdomain"],
        "https://alpha-dent.example/oauth": clinic["redirect_url"],
        "secret": clinic["client_secret"],
        "recording": str(file),
    }
    reader.consent()
    adding = [one for one in OURS if one.words[1:3] == ("clinics", "add")]
    connect = next(one for one in adding if "--redirect-url" in one.words)
    assert reader.type(*connect.words[1:]) == 0, reader.said
    day = ("--clinic", "CLINIC", "--from", DAY.isoformat())
    assert reader.type("process", *day) == 0, reader.said
    asyncio.run(_somebody(clinic["client_id"]))
    reader.request()
    assert reader.type("keys", "create", "for the test", "--clinic", "CLINIC") == 0
    reader.learn("KEY_ID", "keys", "list")
    assert reader.type("members", "invite", "--clinic", "CLINIC", "--role", "manager") == 0
    reader.learn("INVITATION", "members", "invitations", "--clinic", "CLINIC")
    return reader


async def _somebody(client_id: str) -> None:
    """A member whom the documents take out."""
    async with open_application(Settings(_env_file=None, medai_schedules=False)) as application:
        for telegram_id in (_TELEGRAM_ID, _TELEGRAM_ID + 1):
            _, code = await application.invitations.create(client_id, Role.OWNER, by="cli")
            await application.invitations.accept(code, telegram_id, "Ольга")


async def _requested(client_id: str) -> None:
    run = Run(
        id=random_id(), client_id=client_id, kind=RunKind.SYNC,
        first=DAY.isoformat(), last=DAY.isoformat(), started_at=utc_now(),
    )  # fmt: skip
    async with open_application(Settings(_env_file=None, medai_schedules=False)) as application:
        await application.runs.insert(run)


def _run_here() -> list[Command]:
    """Each once, in the order of the documents."""
    chosen = [one for one in OURS if (found := way(one)) and found.test == HERE]
    return list({one.words[1:]: one for one in chosen}.values())


@pytest.mark.parametrize("command", _run_here(), ids=str)
def test_a_command_of_the_documents_works(reader: Reader, command: Command) -> None:
    words = command.words[1:]
    reader.make_ready(words)
    code = reader.type(*words)
    # Nobody works here while the doctor looks, and no provider is behind every address.
    expected = {0, EXIT_CODES["unhealthy"]} if words[0] == "doctor" else {0}
    assert code in expected, reader.said


def test_the_sandbox_answers_what_the_documents_ask(reader: Reader) -> None:
    with httpx2.Client(trust_env=False) as http:
        for url, request in _asked(reader, telegram=False):
            answer = http.request(
                request.method, url, headers=request.headers, content=request.body
            )
            assert answer.status_code == 200, request


async def test_the_bot_answers_the_people_of_the_documents(reader: Reader) -> None:
    settings = Settings(_env_file=None, medai_schedules=False, bot_token=credentials.BOT_TOKEN)
    async with (
        open_application(settings) as application,
        httpx2.AsyncClient(trust_env=False) as http,
    ):
        _, code = await application.invitations.create(reader.meant["CLINIC"], Role.OWNER, by="cli")
        bot, person = asyncio.create_task(run_bot(application, print)), Person(501, reader.control)
        for url, request in _asked(reader, telegram=True):
            body = (request.body or "").replace("$CODE", code)
            answer = await http.request(request.method, url, headers=request.headers, content=body)
            assert answer.status_code == 200, request
            if request.method == "POST":
                await person.hear(1)
        bot.cancel()
        await asyncio.gather(bot, return_exceptions=True)
    assert "Сегодня" in answer.text


def _asked(reader: Reader, *, telegram: bool) -> list[tuple[str, Request]]:
    """What the documents ask of the sandbox, or of its Telegram, and where it stands here."""
    lines = [one for one in ALL if one.program == "curl" and way(one) == Way(test=HERE)]
    asked = [curl(list(one.words[1:])) for one in lines]
    found = [one for one in asked if ("/control/telegram" in one.url) is telegram]
    assert found
    return [(one.url.replace("http://127.0.0.1:8900", reader.url), one) for one in found]


def test_what_the_documents_export_is_read() -> None:
    lines = [one for one in ALL if one.program == "export" and way(one) == Way(test=HERE)]
    named = dict(pair.partition("=")[::2] for one in lines for pair in one.words[1:])
    known = {name.upper() for name in Settings.model_fields}
    asked_for = {"AMOCRM_TOKEN", "AMOCRM_CLIENT_SECRET", "AMOCRM_AUTH_CODE"}
    assert named.keys() <= known | asked_for
    assert named["EVENLABS"] == credentials.ELEVENLABS_KEY
    assert named["OPENAI"] == credentials.OPENAI_KEY
