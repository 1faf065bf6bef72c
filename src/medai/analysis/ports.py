"""What analysis needs from a large language model."""

from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel

from medai.analysis.models import Usage
from medai.ledger.models import Subject

Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Prompt:
    """Instructions that never change (cached by the provider) and the data of this request."""

    instructions: str
    data: str
    cache_key: str


@dataclass(frozen=True, slots=True)
class Answer(Generic[Shape]):
    """A validated answer with its raw body and price basis."""

    value: Shape
    raw: dict[str, Any]
    usage: Usage
    model: str


class Pace(Protocol):
    """Keeps all processes together within what the provider allows. Raises StoreError."""

    async def take(self, tokens: int) -> None:
        """Wait for the turn of a request of about so many tokens."""

    async def hold_back(self, seconds: float) -> None:
        """The provider asked everybody for a pause."""


class LanguageModel(Protocol):
    """Answers a prompt in a fixed JSON shape.

    Raises ProviderUnavailableError, ProviderRateLimitedError, ProviderStoppedError,
    ProviderRejectedError (refusal included) and ProviderAnswerError (incomplete or invalid
    output after the adapter's own second try).
    """

    async def answer(self, prompt: Prompt, shape: type[Shape], subject: Subject) -> Answer[Shape]:
        """One structured answer; every request it takes is entered in the subject's ledger."""
