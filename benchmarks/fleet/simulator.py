"""The providers in a process of their own: every answer takes a fixed time, however busy we are."""

import asyncio
import hashlib
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import c_double
from dataclasses import dataclass, replace
from datetime import date
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from typing import TypeAlias

from starlette.types import ASGIApp, Receive, Scope, Send

from medai.sandbox.amocrm.options import without_limits
from medai.sandbox.audio.tones import ToneMaker
from medai.sandbox.client import Control
from medai.sandbox.server import SandboxServer
from medai.sandbox.world.bulk import generate_bulk
from medai.sandbox.world.models import Dialogue, World

DAY = date(2026, 11, 19)
RECORDING_SECONDS = 0.2
LLM_SECONDS = 0.5
_DIALOGUES = 10
_SOUND_AT, _SIGNATURE = 44, 32
"""Where the samples of a WAV begin, and how many of them tell one call from another."""
_SPAWN = multiprocessing.get_context("spawn")
_PATIENCE_SECONDS = 60

Number: TypeAlias = "Synchronized[float]"
_RECOGNITION = "/elevenlabs/v1/speech-to-text"


@dataclass(frozen=True, slots=True)
class Providers:
    """`calls` calls of one clinic; `slots` recognitions at once, `stt_seconds` each."""

    calls: int
    slots: int
    stt_seconds: float


@dataclass(frozen=True, slots=True)
class Watch:
    """What the simulator saw, shared with the process that measures.

    `asked_at`: the first request for a recording (unix seconds, 0: none). `served_seconds` is the
    time of all `recognitions` together, from a request's arrival to the end of its answer: the
    fixed time and what the simulator itself needs.
    """

    asked_at: Number
    served_seconds: Number
    recognitions: Number


class _Watched:
    """ASGI middleware: how long recognitions take at the provider's door."""

    def __init__(self, app: ASGIApp, watch: Watch) -> None:
        self._app = app
        self._watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.monotonic()
        await self._app(scope, receive, send)
        if scope.get("path") == _RECOGNITION:
            self._watch.served_seconds.value += time.monotonic() - began
            self._watch.recognitions.value += 1


class Recordings:
    """Ten conversations for all calls; 32 faint samples differ, so each call is paid for."""

    def __init__(self, world: World, watch: Watch) -> None:
        calls = [call for clinic in world.clinics for call in clinic.calls]
        self._dialogues = {c.recording: c.dialogue for c in calls if c.recording and c.dialogue}
        self._sounds = {d.id: ToneMaker().make(d) for d in self._dialogues.values()}
        self._names: dict[str, str] = {}
        self._watch = watch

    def dialogue_of(self, sha256: str) -> Dialogue | None:
        """The conversation of a recording that was served."""
        return self._dialogues.get(self._names.get(sha256, ""))

    async def content(self, name: str) -> bytes | None:
        """The call's own bytes, after the fixed time of a download."""
        if not self._watch.asked_at.value:
            self._watch.asked_at.value = time.time()
        dialogue = self._dialogues.get(name)
        if dialogue is None:
            return None
        await asyncio.sleep(RECORDING_SECONDS)
        sound = self._sounds[dialogue.id]
        own = bytes(127 + byte % 3 for byte in hashlib.sha256(name.encode()).digest())
        content = sound[:_SOUND_AT] + own + sound[_SOUND_AT + _SIGNATURE :]
        self._names[hashlib.sha256(content).hexdigest()] = name
        return content


@contextmanager
def simulated(providers: Providers) -> Iterator[tuple[str, Watch]]:
    """The simulator's URL and what it sees."""
    watch = Watch(*(_SPAWN.Value(c_double, 0.0) for _ in range(3)))
    here, there = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_serve, args=(there, providers, watch))
    process.start()
    there.close()
    try:
        yield here.recv(), watch
    finally:
        here.close()
        process.join(_PATIENCE_SECONDS)
        process.kill()


def _serve(parent: Connection, providers: Providers, watch: Watch) -> None:
    world = world_of(providers.calls)
    audio = Recordings(world, watch)
    server = SandboxServer(world, audio, crm_limits=without_limits())
    server.app.add_middleware(_Watched, watch=watch)
    with server, Control(server.url) as control:
        control.post(
            "/elevenlabs/capacity", limit=providers.slots, work_seconds=providers.stt_seconds
        )
        control.fail("openai", "slow", times=0, seconds=LLM_SECONDS)
        parent.send(server.url)
        parent.poll(None)  # until the parent closes its end


def world_of(calls: int) -> World:
    """One clinic whose calls share conversations; each has a recording of its own."""
    world = generate_bulk(seed=1, day=DAY, calls=calls, shared_recordings=_DIALOGUES)
    (clinic,) = world.clinics
    own = tuple(replace(call, recording=f"{call.note_id}.wav") for call in clinic.calls)
    return replace(world, clinics=(replace(clinic, calls=own),))
