"""Recordings of the sandbox: right length and channels, cached whole, recognised by hash."""

import hashlib
import importlib.util
import io
import math
from datetime import date
from pathlib import Path

import av
import pytest

from medai.sandbox.audio.formats import Form, converted
from medai.sandbox.audio.maker import Maker, content_key
from medai.sandbox.audio.store import AudioStore
from medai.sandbox.audio.tones import ToneMaker
from medai.sandbox.audio.voices import VoiceMaker
from medai.sandbox.world.generate import generate
from medai.sandbox.world.models import Dialogue, Line, World

DEMO_INSTALLED = importlib.util.find_spec("espeakng_loader") is not None


@pytest.fixture(scope="module")
def world() -> World:
    return generate(seed=11, day=date(2026, 3, 12), calls_per_clinic=17)


def _dialogues(world: World) -> list[Dialogue]:
    calls = [call for clinic in world.clinics for call in clinic.calls]
    return [call.dialogue for call in calls if call.dialogue]


def _shortest(world: World, channels: int) -> Dialogue:
    fitting = [each for each in _dialogues(world) if each.channels == channels]
    return min(fitting, key=lambda each: each.seconds)


def _decoded(content: bytes) -> tuple[float, list[list[int]]]:
    """Seconds and the samples of each channel, 16 bit."""
    with av.open(io.BytesIO(content), "r") as source:
        stream = source.streams.audio[0]
        channels = stream.codec_context.channels
        rate = stream.codec_context.sample_rate
        layout = "stereo" if channels == 2 else "mono"
        resampler = av.AudioResampler("s16", layout, rate)
        raw = b""
        for frame in source.decode(stream):
            for piece in resampler.resample(frame):
                raw += bytes(piece.planes[0])[: piece.samples * channels * 2]
    samples = memoryview(raw).cast("h").tolist()
    return len(samples) / channels / rate, [samples[c::channels] for c in range(channels)]


def _loudness(samples: list[int], seconds: float, start_ms: int, end_ms: int) -> float:
    rate = len(samples) / seconds
    heard = samples[int(start_ms * rate / 1000) : int(end_ms * rate / 1000)]
    return math.sqrt(sum(value * value for value in heard) / len(heard))


def _check(maker: Maker, dialogue: Dialogue) -> None:
    """Length, channels, and each line loud on its speaker's channel and silent on the other."""
    seconds, tracks = _decoded(maker.make(dialogue))
    assert seconds == pytest.approx(dialogue.seconds, abs=0.2)
    assert len(tracks) == dialogue.channels
    for line in dialogue.lines:
        own = tracks[-1] if line.speaker == "patient" else tracks[0]
        middle = (line.start_ms + 100, line.start_ms + 500)
        assert _loudness(own, seconds, *middle) > 300
        if dialogue.channels == 2:
            other = tracks[0] if line.speaker == "patient" else tracks[1]
            assert _loudness(other, seconds, *middle) < 30
    assert _loudness(tracks[0], seconds, 0, 200) < 300


@pytest.mark.parametrize("channels", [1, 2])
def test_tones_sound_where_the_lines_are(world: World, channels: int) -> None:
    _check(ToneMaker(), _shortest(world, channels))


@pytest.mark.skipif(not DEMO_INSTALLED, reason="demo extra not installed")
@pytest.mark.parametrize("channels", [1, 2])
def test_voices_sound_where_the_lines_are(world: World, channels: int) -> None:
    _check(VoiceMaker(), _shortest(world, channels))


@pytest.mark.parametrize("form", ["mp3", "wav", "ogg", "m4a"])
def test_a_recording_keeps_length_and_channels_in_every_form(world: World, form: Form) -> None:
    dialogue = _shortest(world, 2)
    seconds, tracks = _decoded(converted(ToneMaker().make(dialogue), form))
    assert seconds == pytest.approx(dialogue.seconds, abs=0.2)
    assert len(tracks) == 2


def test_no_two_dialogues_share_a_recording(world: World) -> None:
    dialogues = {each.id: each for each in _dialogues(world)}.values()
    assert len({content_key(ToneMaker(), each) for each in dialogues}) == len(dialogues)
    shared_rhythm = [_with_text("Да, слушаю."), _with_text("Нет, спасиб")]
    assert len({ToneMaker().make(each) for each in shared_rhythm}) == 2


def _with_text(text: str) -> Dialogue:
    line = Line("patient", text, 400, 1200)
    return Dialogue("d", 5, (line,), {}, {}, (), 2.0, 1)


def _files(folder: Path) -> dict[str, int]:
    """Names and times of last change, nanoseconds."""
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


async def test_served_audio_is_recognised(world: World, tmp_path: Path) -> None:
    store = AudioStore(world, tmp_path, ToneMaker())
    dialogue = _shortest(world, 1)
    content = await store.content(dialogue.id)
    assert content == ToneMaker().make(dialogue)
    assert store.dialogue_of(hashlib.sha256(content).hexdigest()) == dialogue
    assert store.content_type(dialogue.id) == "audio/wav"
    assert store.dialogue_of("0" * 64) is None


async def test_audio_of_an_earlier_process_is_recognised(world: World, tmp_path: Path) -> None:
    dialogue = _shortest(world, 1)
    content = await AudioStore(world, tmp_path, ToneMaker()).content(dialogue.id)
    later = AudioStore(world, tmp_path, ToneMaker())
    assert content is not None
    assert later.dialogue_of(hashlib.sha256(content).hexdigest()) == dialogue


async def test_unknown_names_have_no_audio(world: World, tmp_path: Path) -> None:
    store = AudioStore(world, tmp_path, ToneMaker())
    assert await store.content("../../etc/passwd") is None
    assert store.content_type("nothing") is None
    assert _files(tmp_path) == {}


async def test_each_recording_is_made_once(world: World, tmp_path: Path) -> None:
    dialogue = _shortest(world, 2)
    first = await AudioStore(world, tmp_path, ToneMaker()).content(dialogue.id)
    made = _files(tmp_path)
    again = await AudioStore(world, tmp_path, ToneMaker()).content(dialogue.id)
    assert first == again
    assert _files(tmp_path) == made
    assert len(made) == 1


async def test_prepare_makes_all_and_reports_progress(world: World, tmp_path: Path) -> None:
    store = AudioStore(world, tmp_path, ToneMaker())
    told: list[tuple[int, int]] = []
    await store.prepare(lambda ready, total: told.append((ready, total)))
    total = len(store.names)
    assert told == [(ready, total) for ready in range(total + 1)]
    assert len(_files(tmp_path)) == total
    told.clear()
    await store.prepare(lambda ready, total: told.append((ready, total)))
    assert told == [(total, total)]
