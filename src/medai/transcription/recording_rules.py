"""Rules about recordings: which of them are no conversation. Pure."""

import re
from collections.abc import Sequence

from medai.transcription.models import Utterance

_ANNOUNCEMENT_WORDS = 40
"""An announcement is short; a talk in which somebody mentions a missing record is longer."""

_ANNOUNCEMENTS = re.compile(
    r"\b(?:"
    r"запись (?:\w+ ){0,3}(?:недоступна|не доступна|отсутствует|не найдена|не готова|удалена"
    r"|не производилась|не велась|еще не готова)"
    r"|(?:файл|запись) (?:\w+ ){0,3}не (?:найден|существует|сохранил)"
    r"|срок хранения (?:\w+ ){0,2}(?:истек|закончился)"
    r"|запись (?:этого |данного )?(?:разговора|звонка) (?:была )?удален"
    r")"
)

_FAR_SHORTER_SHARE = 0.25
_FAR_SHORTER_FROM_SECONDS = 20
"""Ringing counts in some CRM durations, so only a big gap on a real call means a stub."""

_PARTIAL_SHARE = 0.8
"""A PBX that still writes the file gives what it has; ringing takes a smaller share of a call."""

_FEW_WORDS = 15


def far_shorter(audio_seconds: float, crm_seconds: int) -> bool:
    """Whether the file cannot hold the call that the CRM reports. Needs no transcript."""
    return (
        crm_seconds >= _FAR_SHORTER_FROM_SECONDS
        and audio_seconds < crm_seconds * _FAR_SHORTER_SHARE
    )


def is_partial(audio_seconds: float, crm_seconds: int) -> bool:
    """Whether a good part of the call that the CRM reports is missing from the file."""
    return crm_seconds >= _FAR_SHORTER_FROM_SECONDS and audio_seconds < crm_seconds * _PARTIAL_SHARE


def is_announcement(utterances: Sequence[Utterance]) -> bool:
    """Whether the transcript is only a spoken "recording unavailable" of the PBX."""
    words = _words(utterances)
    return len(words) <= _ANNOUNCEMENT_WORDS and bool(_ANNOUNCEMENTS.search(" ".join(words)))


def recording_unavailable(
    utterances: Sequence[Utterance], *, audio_seconds: float, crm_seconds: int
) -> bool:
    """Whether there is no conversation to score (contract 5.2: such clips were transcribed).

    True for an announcement, and for a far too short file in which hardly anything is said; a
    short file with talk is a partial recording and is kept.
    """
    if is_announcement(utterances):
        return True
    return far_shorter(audio_seconds, crm_seconds) and len(_words(utterances)) < _FEW_WORDS


def _words(utterances: Sequence[Utterance]) -> list[str]:
    text = " ".join(one.text for one in utterances).lower().replace("ё", "е")
    return re.findall(r"\w+", text)
