"""The bodies of successful recognitions: one transcript, or one per channel."""

from typing import Any

from medai.sandbox.elevenlabs.form import Order
from medai.sandbox.elevenlabs.speech import Labels, words
from medai.sandbox.world.models import Dialogue, Line, Speaker

_BY_CHANNEL: tuple[Speaker, ...] = ("administrator", "patient")


def billed_channels(order: Order, channels: int) -> int:
    """How many times the length is billed: each channel apart, else once."""
    return channels if order.multi_channel else 1


def answer(
    order: Order, dialogue: Dialogue, *, seconds: float, channels: int, transcription_id: str
) -> dict[str, Any]:
    """The body for the order. A mono file answers multi-channel requests as an ordinary one."""
    ends = {"transcription_id": transcription_id, "audio_duration_secs": seconds}
    if not order.multi_channel or channels == 1:
        labels = Labels(order.diarize, order.roles, order.num_speakers)
        return {**_transcript(order, dialogue.lines, labels), **ends}
    labels = Labels(channels=True)
    if order.combined:
        return {**_transcript(order, dialogue.lines, labels), **ends}
    apart = [_channel(order, dialogue, number) for number in range(channels)]
    return {"transcripts": apart, **ends, "audio_duration_secs": round(seconds * channels, 3)}


def _channel(order: Order, dialogue: Dialogue, number: int) -> dict[str, Any]:
    speaker = _BY_CHANNEL[number]
    lines = tuple(line for line in dialogue.lines if line.speaker == speaker)
    return {**_transcript(order, lines, Labels(channels=True)), "channel_index": number}


def _transcript(order: Order, lines: tuple[Line, ...], labels: Labels) -> dict[str, Any]:
    found = words(lines, labels, order.granularity)
    return {
        "language_code": "rus",
        "language_probability": 0.99,
        "text": "".join(word["text"] for word in found),
        "words": found,
    }
