"""The error tree: a stable code for programs, one Russian line for people.

Doors translate a code into their own form: HTTP into a status, the CLI into an exit code, the bot
into a sentence. A class exists only where somebody handles it differently from its parent.
"""

from typing import ClassVar


class MedaiError(Exception):
    """Root of every failure the product knows by name.

    `message` is one line in Russian that says what happened and what to do; it may be stored on a
    call and shown to clinic staff, so it never holds secrets, phone numbers or transcript text.
    """

    code: ClassVar[str] = "internal"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInputError(MedaiError):
    """What a person or client sent cannot be used as it is."""

    code = "invalid_input"


class NotFoundError(MedaiError):
    """The named clinic, call, file or run does not exist."""

    code = "not_found"


class AccessDeniedError(MedaiError):
    """The key, signature or role does not allow this."""

    code = "access_denied"


class ForbiddenError(MedaiError):
    """The key is good, but not for this."""

    code = "forbidden"


class ConflictError(MedaiError):
    """Somebody else changed the same thing first; the caller may read again and repeat."""

    code = "conflict"


class SettingsError(MedaiError):
    """The environment lacks or contradicts a setting."""

    code = "settings"


class StoreError(MedaiError):
    """A database or file store cannot be reached or refuses to work."""

    code = "store_unavailable"


class StoredDataError(MedaiError):
    """A document breaks the shape we keep: written by other hands. Its id and fields are told."""

    code = "stored_data"


class QuotaExceededError(MedaiError):
    """The clinic's transcription minutes for the month or week are spent."""

    code = "limit_exceeded"


class RecordingError(MedaiError):
    """The recording cannot be used. `final` means that asking again will not help."""

    code = "recording_unavailable"

    def __init__(self, message: str, *, final: bool) -> None:
        super().__init__(message)
        self.final = final


class ProviderError(MedaiError):
    """An outside service (amoCRM, ElevenLabs, OpenAI, Telegram) did not do what was asked."""

    code = "provider"

    def __init__(
        self,
        provider: str,
        message: str,
        *,
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.provider = provider
        self.status = status
        self.request_id = request_id


class ProviderUnavailableError(ProviderError):
    """Connection failure or 5xx: nothing is known to be wrong with the request; retry later."""

    code = "provider_unavailable"


class NoAnswerError(ProviderUnavailableError):
    """The request was sent and no answer came: it may have been carried out and billed.

    Unlike `AnswerLostError` it is repeated like any other outage: a repetition harms nobody and
    costs little. The ledger counts it as possibly paid.
    """


class ProviderRateLimitedError(ProviderError):
    """429. `retry_after` is the provider's own wait in seconds when it named one."""

    code = "provider_rate_limited"

    def __init__(
        self,
        provider: str,
        message: str,
        *,
        status: int | None = 429,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(provider, message, status=status, request_id=request_id)
        self.retry_after = retry_after


class ProviderStoppedError(ProviderError):
    """401, 402, 403: key, payment or account. Repeating cannot help until a person acts."""

    code = "provider_stopped"


class ProviderRejectedError(ProviderError):
    """A permanent 4xx for this very request: the input is wrong, others may pass."""

    code = "provider_rejected"


class ProviderAnswerError(ProviderError):
    """The answer came but cannot be read or breaks the promised shape."""

    code = "provider_answer"


class AnswerLostError(ProviderError):
    """The request may have been carried out (and paid) but its answer was lost on the way.

    Must not be retried blindly: look the effect up, or count the possible double payment.
    """

    code = "answer_lost"
