"""What an unknown upload is: length and channels by decoding it."""

import io
from dataclasses import dataclass

import av

from medai.sandbox.elevenlabs.errors import RefusedError

_SHORTEST_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Probe:
    """Measured length in seconds and number of channels."""

    seconds: float
    channels: int


def probe(audio: bytes) -> Probe:
    """Decode the audio. Raises RefusedError (400) for what is no audio or is too short."""
    try:
        found = _decode(audio)
    except (av.FFmpegError, IndexError, EOFError) as error:
        raise RefusedError(400, "invalid_audio", "The file is no audio or is corrupted") from error
    if found.seconds < _SHORTEST_SECONDS:
        raise RefusedError(400, "audio_too_short", "The audio is shorter than 100 ms")
    return found


def _decode(audio: bytes) -> Probe:
    seconds, channels = 0.0, 1
    with av.open(io.BytesIO(audio), mode="r") as container:
        for frame in container.decode(container.streams.audio[0]):
            seconds += frame.samples / frame.sample_rate
            channels = frame.layout.nb_channels
    return Probe(round(seconds, 3), channels)
