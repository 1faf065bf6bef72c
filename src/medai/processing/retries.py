"""What happens after a failed step: when it is tried again, or that it is final. Pure."""

from datetime import datetime, timedelta

from medai.errors import (
    AnswerLostError,
    ConflictError,
    MedaiError,
    ProviderAnswerError,
    ProviderRateLimitedError,
    ProviderRejectedError,
    QuotaExceededError,
    RecordingError,
)
from medai.processing.stops import CRM, says_stop

_MINUTE = timedelta(minutes=1)
GROWING_DELAYS = (_MINUTE, 5 * _MINUTE, 15 * _MINUTE, 60 * _MINUTE, 360 * _MINUTE)
"""For recordings that are not ready and providers that are down (design 5.4)."""

_ANSWER_DELAYS = (_MINUTE, 15 * _MINUTE)
"""An unreadable answer was paid for: three attempts in all are enough."""

_LOST_ANSWER_DELAYS = (_MINUTE, 5 * _MINUTE, 15 * _MINUTE)
"""How often a repetition is allowed is decided where it is paid (transcription/paid_once.py):
beyond it an attempt costs nothing and the call ends as held for a person. A lost answer of the CRM
is looked up on the card each time, so it follows the growing delays."""

STOPPED_DELAY = timedelta(hours=1)
"""Key, payment or account trouble needs a person. One call tries earlier (`stops.py`) and wakes
the others; this is when they look by themselves."""

_CONFLICT_DELAY = timedelta(seconds=5)
"""Another worker is on the same recording: its result is there in a moment."""


LONGEST_ADVISED_WAIT = timedelta(hours=6)
"""A provider's own advice is taken up to here: a mistaken one would park the call for ever."""


def uses_up_attempt(error: Exception) -> bool:
    """Whether the failure counts against the retry plan: waiting for somebody else does not."""
    if isinstance(error, ProviderRateLimitedError):
        return error.retry_after is None
    return not (says_stop(error) or isinstance(error, QuotaExceededError | ConflictError))


def next_try_at(
    error: Exception, attempts: int, now: datetime, *, quota_reset: datetime | None = None
) -> datetime | None:
    """When to try again after the `attempts`-th failure that counted, or None when it is final."""
    if isinstance(error, QuotaExceededError):
        return quota_reset
    if isinstance(error, ProviderRateLimitedError) and error.retry_after is not None:
        return now + _advised(error.retry_after)
    if isinstance(error, ConflictError):
        return now + _CONFLICT_DELAY
    if says_stop(error):
        return now + STOPPED_DELAY
    if isinstance(error, ProviderRejectedError) or _is_final_recording(error):
        return None
    delays = _delays(error)
    return now + delays[attempts - 1] if attempts <= len(delays) else None


def _is_final_recording(error: Exception) -> bool:
    return isinstance(error, RecordingError) and error.final


def _delays(error: Exception) -> tuple[timedelta, ...]:
    if isinstance(error, AnswerLostError) and error.provider != CRM:
        return _LOST_ANSWER_DELAYS
    return _ANSWER_DELAYS if isinstance(error, ProviderAnswerError) else GROWING_DELAYS


def _advised(seconds: float) -> timedelta:
    """The provider's wait, at least a second and within reason."""
    longest = LONGEST_ADVISED_WAIT.total_seconds()
    return timedelta(seconds=min(max(seconds, 1.0), longest))


def failure_code(error: Exception) -> str:
    """The stable code stored on the call."""
    return error.code if isinstance(error, MedaiError) else "internal"


def failure_message(error: Exception) -> str:
    """One Russian line for people. Unknown errors never show their own text: it may hold data."""
    if isinstance(error, MedaiError):
        return error.message
    return "Внутренняя ошибка: подробности в журнале сервиса, обработка повторится"
