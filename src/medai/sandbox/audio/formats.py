"""A recording in another container, for tests of what the product accepts (mp3, wav, ogg, m4a)."""

import io
from dataclasses import dataclass
from typing import Final, Literal

import av
from av.audio.stream import AudioStream

Form = Literal["mp3", "wav", "ogg", "m4a"]


@dataclass(frozen=True, slots=True)
class _Encoding:
    container: str
    codec: str
    rate: int
    content_type: str


_ENCODINGS: Final[dict[Form, _Encoding]] = {
    "mp3": _Encoding("mp3", "libmp3lame", 16_000, "audio/mpeg"),
    "wav": _Encoding("wav", "pcm_s16le", 16_000, "audio/wav"),
    "ogg": _Encoding("ogg", "libopus", 48_000, "audio/ogg"),
    "m4a": _Encoding("ipod", "aac", 16_000, "audio/mp4"),
}
_BITS_PER_SECOND: Final = 48_000
_LAYOUTS: Final = {1: "mono", 2: "stereo"}


def content_type(form: Form) -> str:
    """The MIME type that goes with a form."""
    return _ENCODINGS[form].content_type


def converted(content: bytes, form: Form) -> bytes:
    """The same sound, with the same channels, in another form.

    Encoders pad, so lengths agree to about 0.1 s. Raises av.FFmpegError for what is no audio.
    """
    encoding = _ENCODINGS[form]
    target = io.BytesIO()
    with (
        av.open(io.BytesIO(content), "r") as source,
        av.open(target, "w", encoding.container) as sink,
    ):
        # a WAV file names no layout, only a number of channels
        layout = _LAYOUTS[source.streams.audio[0].codec_context.channels]
        stream = sink.add_stream(encoding.codec, encoding.rate, layout=layout)
        if not isinstance(stream, AudioStream):
            raise TypeError(f"{encoding.codec} is no audio codec")
        stream.bit_rate = _BITS_PER_SECOND
        for frame in source.decode(source.streams.audio[0]):
            sink.mux(stream.encode(frame))
        sink.mux(stream.encode(None))
    return target.getvalue()
