"""Recordings with synthetic Russian voices, for the demo only.

espeak-ng is GPL-3: this module is imported by nothing of the service, loads the library at run
time from `espeakng_loader`, and is used only by a process that makes demo recordings. MP3 comes
from LAME (`lameenc`, LGPL). Both are in the `demo` extra; nothing here is needed elsewhere.
"""

import array
import ctypes
import importlib
import threading
from typing import Any, Final

from medai.errors import SettingsError
from medai.sandbox.world.models import Dialogue, Line

_RETRIEVAL, _UTF8 = 1, 1
_RATE, _VOLUME, _PITCH = 1, 2, 3
_PACE: Final = 190
_FASTEST: Final = 420
_VOICES: Final = {
    ("administrator", "female"): (b"ru+f3", 62),
    ("administrator", "male"): (b"ru+f3", 62),
    ("patient", "female"): (b"ru+f2", 44),
    ("patient", "male"): (b"ru+m3", 38),
}
_KBIT: Final = 40
_OUT_RATE: Final = 16_000
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class VoiceMaker:
    """MP3, 16 kHz: espeak-ng speaks each line into its time slot, faster or cut if it must.

    Stereo: administrator left, patient right. Mono: both on the one channel. The library keeps
    global state, so one process speaks one recording at a time.
    """

    version = "voices-1"
    content_type = "audio/mpeg"

    def make(self, dialogue: Dialogue) -> bytes:
        """The recording. Raises SettingsError when the demo extra is not installed."""
        with _speaking:
            speaker = _speaker()
            frames = round(dialogue.seconds * speaker.rate)
            tracks = [array.array("h", bytes(2 * frames)) for _ in range(dialogue.channels)]
            for line in dialogue.lines:
                track = tracks[-1] if line.speaker == "patient" else tracks[0]
                _place(track, line, dialogue, speaker)
        return _mp3(tracks, speaker.rate)


class _Espeak:
    """The C library, initialised once per process. Samples are 16 bit, mono."""

    def __init__(self) -> None:
        loader = _demo_module("espeakng_loader")
        self._library: Any = ctypes.CDLL(loader.get_library_path())
        self._library.espeak_Synth.argtypes = [
            *(ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int),
            *(ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p),
        ]
        data = loader.get_data_path().encode()
        self.rate = int(self._library.espeak_Initialize(_RETRIEVAL, 0, data, 0))
        self._heard = array.array("h")
        self._callback = _Callback(self._hear)  # kept: C holds the only other reference
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, voice: bytes, pitch: int, pace: int) -> "array.array[int]":
        """The samples of one line at `pace` words per minute."""
        self._heard = array.array("h")
        self._library.espeak_SetVoiceByName(voice)
        for parameter, value in ((_RATE, pace), (_PITCH, pitch), (_VOLUME, 90)):
            self._library.espeak_SetParameter(parameter, value, 0)
        spoken = text.encode() + b"\0"
        self._library.espeak_Synth(spoken, len(spoken), 0, 1, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        return self._heard

    def _hear(self, samples: Any, count: int, _events: object) -> int:
        if samples and count > 0:
            self._heard.frombytes(ctypes.string_at(samples, 2 * count))
        return 0


_speaking = threading.Lock()
_espeak: list[_Espeak] = []


def _speaker() -> _Espeak:
    if not _espeak:
        _espeak.append(_Espeak())
    return _espeak[0]


def _place(track: "array.array[int]", line: Line, dialogue: Dialogue, speaker: _Espeak) -> None:
    start = line.start_ms * speaker.rate // 1000
    room = (line.end_ms - line.start_ms) * speaker.rate // 1000
    voice, pitch = _VOICES[line.speaker, dialogue.patient_voice]
    samples = speaker.say(line.text, voice, pitch, _PACE)
    if len(samples) > room:
        faster = min(_FASTEST, round(_PACE * len(samples) / room * 1.08))
        samples = speaker.say(line.text, voice, pitch, faster)
    samples = samples[: min(room, len(track) - start)]
    track[start : start + len(samples)] = samples


def _mp3(tracks: list["array.array[int]"], rate: int) -> bytes:
    mixed = array.array("h", bytes(2 * len(tracks) * len(tracks[0])))
    for channel, track in enumerate(tracks):
        mixed[channel :: len(tracks)] = track
    encoder = _demo_module("lameenc").Encoder()
    encoder.silence()
    encoder.set_bit_rate(_KBIT)
    encoder.set_in_sample_rate(rate)
    encoder.set_out_sample_rate(_OUT_RATE)
    encoder.set_channels(len(tracks))
    encoder.set_quality(7)
    return bytes(encoder.encode(mixed.tobytes())) + bytes(encoder.flush())


def _demo_module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        message = "Голоса для демонстрации не установлены: выполните pip install 'medai[demo]'"
        raise SettingsError(message) from error
