import contextlib
import random

import pytest
from tests.fixtures.sounds import mp3, tone, wav

from medai.errors import RecordingError
from medai.integrations.recordings.probe import AudioFacts, probe, probe_async

CLINIC = tone(200, 6, silent_in=1)
PATIENT = tone(300, 6, silent_in=0)
SILENCE = [0] * len(CLINIC)


def test_mono_is_measured() -> None:
    assert probe(wav(CLINIC)) == AudioFacts(6.0, 1, "pcm_s16le", distinct_channels=False)


def test_true_stereo_is_recognised() -> None:
    assert probe(wav(CLINIC, PATIENT)).distinct_channels
    assert probe(mp3(CLINIC, PATIENT)).distinct_channels


def test_people_who_talk_at_once_are_still_two_channels() -> None:
    assert probe(wav(tone(200, 6), tone(310, 6))).distinct_channels


@pytest.mark.parametrize(
    "right",
    [
        pytest.param(CLINIC, id="the same"),
        pytest.param([one // 4 for one in CLINIC], id="the same, quieter"),
        pytest.param([-one for one in CLINIC], id="the same, turned round"),
        pytest.param(SILENCE, id="silent"),
        pytest.param([one // 500 for one in PATIENT], id="only crosstalk"),
        pytest.param([a + b // 200 for a, b in zip(CLINIC, PATIENT, strict=True)], id="with hiss"),
    ],
)
def test_fake_stereo_counts_as_mono(right: list[int]) -> None:
    for left, other in ((CLINIC, right), (right, CLINIC)):
        facts = probe(wav(left, other))
        assert (facts.channels, facts.distinct_channels) == (2, False)


def test_doubled_mono_survives_lossy_coding() -> None:
    assert not probe(mp3(CLINIC, CLINIC)).distinct_channels


@pytest.mark.parametrize("encode", [wav, mp3])
def test_a_cut_off_file_is_as_long_as_what_is_there(encode: object) -> None:
    whole = wav(CLINIC) if encode is wav else mp3(CLINIC)
    assert probe(whole[: len(whole) // 2]).seconds == pytest.approx(3, abs=0.2)


def test_damage_in_the_middle_does_not_end_the_recording() -> None:
    whole = bytearray(mp3(tone(200, 20)))
    rng = random.Random(1)
    for place in range(30_000, 31_000):
        whole[place] = rng.randrange(256)
    assert probe(bytes(whole)).seconds == pytest.approx(20, abs=1.5)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 4000,
        b"<html>" * 500,
        wav(CLINIC)[:44],
        b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:1/a.ts\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/hostname\n",
    ],
    ids=["empty", "zeros", "page", "header only", "playlist", "concat"],
)
def test_what_is_no_sound_is_refused_for_good(data: bytes) -> None:
    with pytest.raises(RecordingError) as caught:
        probe(data)
    assert caught.value.final


def test_random_bytes_never_escape_as_other_errors() -> None:
    rng = random.Random(2)
    whole = mp3(CLINIC, PATIENT)
    for _ in range(60):
        spoiled = bytearray(whole)
        for _ in range(300):
            spoiled[rng.randrange(len(spoiled))] = rng.randrange(256)
        with contextlib.suppress(RecordingError):
            assert 0 < probe(bytes(spoiled)).seconds < 60


async def test_decoding_stops_at_the_time_limit() -> None:
    with pytest.raises(RecordingError, match="слишком долго"):
        await probe_async(mp3(CLINIC), limit_seconds=0)


async def test_the_async_form_measures_the_same() -> None:
    assert await probe_async(wav(CLINIC)) == probe(wav(CLINIC))


def test_more_than_six_hours_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medai.integrations.recordings.probe.MAX_SECONDS", 5)
    with pytest.raises(RecordingError, match="шести часов"):
        probe(wav(CLINIC))
