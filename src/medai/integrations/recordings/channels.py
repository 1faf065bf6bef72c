"""Telling a true call-centre stereo recording from a mono one saved in two channels.

Users of other systems saw the same words given to both roles when a file was fake stereo
(field.md 1), and every channel is billed in full (elevenlabs.md 7).
"""

from array import array
from collections.abc import Sequence
from operator import mul

from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

_RATE = 2000
"""Voices keep most of their energy below 1 kHz; a low rate makes the comparison cheap."""

_COMPARED_SECONDS = 600
_SAME_SIGNAL = 0.97
"""Correlation above this is one signal, possibly louder on one side."""

_SILENT_AGAINST_OTHER = 1e-4
"""Energy 40 dB below the other channel is crosstalk or hiss, not a person."""

_SILENT_RMS = 10.0
"""About -70 dB of full scale."""


class ChannelComparison:
    """Collects energies and the product of two channels, frame by frame."""

    def __init__(self) -> None:
        self._resampler = AudioResampler(format="s16p", layout="stereo", rate=_RATE)
        self._left = self._right = self._both = self._count = 0

    def add(self, frame: AudioFrame) -> None:
        """Take the next decoded frame into account (the first ten minutes are enough)."""
        if self._count >= _COMPARED_SECONDS * _RATE:
            return
        for part in self._resampler.resample(frame):
            left, right = (_samples(part, plane) for plane in (0, 1))
            self._left += sum(map(mul, left, left))
            self._right += sum(map(mul, right, right))
            self._both += sum(map(mul, left, right))
            self._count += part.samples

    def distinct(self) -> bool:
        """Whether both channels carry sound and the sounds differ."""
        quieter, louder = sorted((self._left, self._right))
        if not self._count or (quieter / self._count) ** 0.5 < _SILENT_RMS:
            return False
        if quieter < louder * _SILENT_AGAINST_OTHER:
            return False
        return bool(abs(self._both) / (self._left * self._right) ** 0.5 < _SAME_SIGNAL)


def _samples(frame: AudioFrame, plane: int) -> Sequence[int]:
    return array("h", bytes(frame.planes[plane])[: frame.samples * 2])
