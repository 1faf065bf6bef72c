"""Recordings of pure tones for tests: nothing but the standard library, milliseconds to make."""

import hashlib
import io
import math
import wave

from medai.sandbox.world.models import Dialogue, Line

RATE = 8_000
_SILENCE = 128
_AMPLITUDE = 90
_HERTZ = {"administrator": 440, "patient": 250}


def _one_second(hertz: int) -> bytes:
    turn = 2 * math.pi * hertz / RATE
    return bytes(round(_SILENCE + _AMPLITUDE * math.sin(turn * i)) for i in range(RATE))


_TONES = {speaker: _one_second(hertz) for speaker, hertz in _HERTZ.items()}


class ToneMaker:
    """WAV, 8 kHz, 8 bit: one tone per speaker, silence between lines.

    Stereo: administrator left, patient right. Mono: both on the one channel.
    """

    version = "tones-1"
    content_type = "audio/wav"

    def make(self, dialogue: Dialogue) -> bytes:
        """The recording. A faint code at its start keeps recordings of one rhythm apart."""
        frames = round(dialogue.seconds * RATE)
        tracks = [bytearray([_SILENCE]) * frames for _ in range(dialogue.channels)]
        for line in dialogue.lines:
            track = tracks[-1] if line.speaker == "patient" else tracks[0]
            _speak(track, line)
        _sign(tracks[0], dialogue)
        return _wav(tracks)


def _speak(track: bytearray, line: Line) -> None:
    start, end = line.start_ms * RATE // 1000, min(line.end_ms * RATE // 1000, len(track))
    tone = _TONES[line.speaker]
    track[start:end] = (tone * ((end - start) // RATE + 1))[: end - start]


def _sign(track: bytearray, dialogue: Dialogue) -> None:
    digest = hashlib.sha256(repr(dialogue.lines).encode()).digest()
    track[: len(digest)] = bytes(_SILENCE + byte % 3 - 1 for byte in digest)


def _wav(tracks: list[bytearray]) -> bytes:
    mixed = bytearray(len(tracks) * len(tracks[0]))
    for channel, track in enumerate(tracks):
        mixed[channel :: len(tracks)] = track
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(len(tracks))
        file.setsampwidth(1)
        file.setframerate(RATE)
        file.writeframes(bytes(mixed))
    return target.getvalue()
