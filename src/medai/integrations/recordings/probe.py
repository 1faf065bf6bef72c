"""Measuring a recording by decoding it: headers of cut or odd files lie (reports-and-ui.md 5)."""

import asyncio
import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import cast

import av
import av.error
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from medai.errors import RecordingError
from medai.integrations.recordings.channels import ChannelComparison

MAX_SECONDS = 6 * 3600
DECODE_SECONDS = 60.0
"""Six hours of MP3 decode in about twenty seconds; whoever needs more is hostile or broken."""

_FORMATS = (
    "wav,mp3,ogg,flac,aac,aiff,amr,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,asf,au,gsm,caf,w64,rf64"
)
"""Containers of sound only: playlist formats could make FFmpeg open other files or addresses."""

_DECODER_ERRORS = (av.error.FFmpegError, AttributeError, IndexError, ValueError)
"""What PyAV was seen to raise on 2,500 mutated files of each format (reports-and-ui.md 5)."""


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """`seconds` is decoded length. `distinct_channels`: two channels with different speech."""

    seconds: float
    channels: int
    codec: str
    distinct_channels: bool


async def probe_async(data: bytes, *, limit_seconds: float = DECODE_SECONDS) -> AudioFacts:
    """`probe` in a thread, so that the event loop stays free. Raises RecordingError."""
    return await asyncio.to_thread(partial(probe, data, limit_seconds=limit_seconds))


def probe(data: bytes, *, limit_seconds: float = DECODE_SECONDS) -> AudioFacts:
    """Decode the whole recording and measure it.

    A file cut off in the middle is measured up to the cut. Raises RecordingError (final) when it
    is not audio, has no channels, is empty, or lasts above MAX_SECONDS, and when decoding takes
    more than `limit_seconds` of wall time.
    """
    deadline = time.monotonic() + limit_seconds
    try:
        options = {"format_whitelist": _FORMATS}
        with av.open(io.BytesIO(data), options=options, metadata_errors="ignore") as container:
            stream = container.streams.audio[0]
            channels, codec = stream.codec_context.channels, stream.codec_context.name
            seconds, distinct = _measured(_frames(stream, deadline), channels)
    except _DECODER_ERRORS as error:
        raise _refused("файл не читается как аудио") from error
    if channels < 1 or seconds <= 0:
        raise _refused("в файле нет звука")
    return AudioFacts(round(seconds, 3), channels, codec, distinct)


def _frames(stream: AudioStream, deadline: float) -> Iterator[AudioFrame]:
    """All frames that decode: a damaged packet is skipped, a cut-off end is the end."""
    damage: Exception | None = None
    decoded = 0
    for packet in _packets(stream):
        if time.monotonic() > deadline:
            raise _refused("разбор файла длится слишком долго")
        try:
            frames = stream.decode(packet)
        except _DECODER_ERRORS as error:
            damage = error
            continue
        decoded += len(frames)
        yield from frames
    if not decoded and damage is not None:
        raise damage


def _packets(stream: AudioStream) -> "Iterator[Packet[AudioStream]]":
    container = cast(InputContainer, stream.container)
    try:
        yield from container.demux(stream)
    except EOFError:
        return


def _measured(frames: Iterator[AudioFrame], channels: int) -> tuple[float, bool]:
    seconds = 0.0
    comparison = ChannelComparison() if channels == 2 else None
    for frame in frames:
        seconds += frame.samples / frame.sample_rate
        if seconds > MAX_SECONDS:
            raise _refused("запись длиннее шести часов")
        if comparison is not None:
            comparison.add(frame)
    return seconds, comparison is not None and comparison.distinct()


def _refused(reason: str) -> RecordingError:
    return RecordingError(f"Запись непригодна: {reason}, проверьте её в телефонии", final=True)
