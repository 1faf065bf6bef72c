"""The simulated account: what is stored, what is under way, and the work itself."""

import asyncio
import hashlib
import itertools
from typing import Any

from medai.sandbox.elevenlabs.answers import answer, billed_channels
from medai.sandbox.elevenlabs.capacity import Capacity
from medai.sandbox.elevenlabs.form import Order
from medai.sandbox.elevenlabs.probe import Probe, probe
from medai.sandbox.elevenlabs.speech import unknown
from medai.sandbox.state import Sandbox
from medai.sandbox.world.models import Dialogue


class ElevenLabs:
    """One workspace with its stored transcripts and its plan."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.capacity = Capacity()
        self.reset()

    def reset(self) -> None:
        """Forget stored transcripts and limits."""
        self.transcripts: dict[str, dict[str, Any]] = {}
        self._numbers = itertools.count(1)
        self.capacity.reset()

    def next_id(self, kind: str) -> str:
        """A repeatable id: the n-th since the last reset."""
        return hashlib.sha256(f"{kind}-{next(self._numbers)}".encode()).hexdigest()[:20]

    async def recognise(self, order: Order, *, keep: bool) -> dict[str, Any]:
        """Do, bill and (unless zero retention was asked) store one recognition."""
        sha256 = hashlib.sha256(order.audio).hexdigest()
        dialogue = self._sandbox.audio.dialogue_of(sha256)
        measured = await _measured(order.audio, dialogue)
        with self.capacity.taken(measured.seconds):
            await asyncio.sleep(self.capacity.work_seconds)
        transcription_id = self.next_id("transcript")
        body = answer(
            order,
            dialogue or unknown(measured.seconds),
            seconds=measured.seconds,
            channels=measured.channels,
            transcription_id=transcription_id,
        )
        channels = billed_channels(order, measured.channels)
        self._sandbox.ledger.recognised(
            sha256, seconds=measured.seconds, channels=channels, model=order.model
        )
        if keep:
            self.transcripts[transcription_id] = body
        return body


async def _measured(audio: bytes, dialogue: Dialogue | None) -> Probe:
    if dialogue is not None:
        return Probe(dialogue.seconds, dialogue.channels)
    return await asyncio.to_thread(probe, audio)
