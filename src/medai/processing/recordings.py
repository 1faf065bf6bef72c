"""From downloaded bytes to stored, measured audio."""

import hashlib

from medai.calls.models import Audio
from medai.errors import RecordingError
from medai.infra.files import Files
from medai.integrations.recordings.probe import AudioFacts, probe_async
from medai.transcription.recording_rules import far_shorter, is_partial

_EXTENSIONS = {"mp3": "mp3", "pcm": "wav", "vorbis": "ogg", "opus": "ogg", "aac": "m4a"}
_SHORTEST_SECONDS = 1.0


async def checked_audio(data: bytes, *, crm_seconds: int, may_grow: bool = False) -> AudioFacts:
    """The measured facts of usable audio. `may_grow`: the PBX may still be writing the file.

    Raises RecordingError: final for what is no audio, repeatable for a clip far shorter than the
    call (the PBX still plays "not available") and for a part of a file that may grow. A file
    that will not grow is used as it is: half a call is better than none.
    """
    facts = await probe_async(data)
    if facts.seconds < _SHORTEST_SECONDS:
        raise RecordingError("Запись пуста: проверьте запись звонка на АТС", final=False)
    if far_shorter(facts.seconds, crm_seconds):
        raise RecordingError(
            "Запись намного короче звонка: АТС отдала заглушку, загрузка повторится", final=False
        )
    if may_grow and is_partial(facts.seconds, crm_seconds):
        raise RecordingError(
            "Запись короче звонка: АТС могла не дописать файл, загрузка повторится", final=False
        )
    return facts


async def stored_audio(files: Files, call_id: str, data: bytes, facts: AudioFacts) -> Audio:
    """The audio, written under the call's own name. Raises StoreError."""
    name = f"audio/{call_id}.{extension_of(facts)}"
    await files.write(name, data)
    return Audio(
        file=name,
        sha256=hashlib.sha256(data).hexdigest(),
        seconds=facts.seconds,
        channels=facts.channels,
        distinct_channels=facts.distinct_channels,
        codec=facts.codec,
        size_bytes=len(data),
    )


def extension_of(facts: AudioFacts) -> str:
    """The file extension of such audio; "audio" when there is no customary one."""
    found = (known for codec, known in _EXTENSIONS.items() if facts.codec.startswith(codec))
    return next(found, "audio")


def facts_of(audio: Audio) -> AudioFacts:
    """What was measured when the audio was stored."""
    return AudioFacts(audio.seconds, audio.channels, audio.codec, audio.distinct_channels)
