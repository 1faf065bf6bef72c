"""An effect: one paid or posting request to a provider, as a line of our own bill."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from medai.kit.ids import random_id
from medai.kit.model import Frozen


class EffectKind(StrEnum):
    """`recognition`: one paid speech-to-text request. `language_model`: one LLM request, each
    second try apart. `crm_note`: one posted part of a note.
    """

    RECOGNITION = "recognition"
    LANGUAGE_MODEL = "language_model"
    CRM_NOTE = "crm_note"


class EffectState(StrEnum):
    """`requested`: under way until the lease ends. `done`: carried out and billed. `unknown`: the
    answer was lost, so it may be billed. `failed`: certainly not carried out.
    """

    REQUESTED = "requested"
    DONE = "done"
    UNKNOWN = "unknown"
    FAILED = "failed"


class Decision(StrEnum):
    """What a person decided about work that was held: pay once more, or give it up."""

    REPEAT = "repeat"
    GIVE_UP = "give_up"


class Subject(Frozen):
    """On whose account a request is made: the clinic, and the call if it is about one."""

    client_id: str
    call_id: str | None = None


class Consumption(Frozen):
    """What a request is billed for.

    `seconds` of audio count each channel by itself; `channels` tells how many were recognised
    apart. `cached_tokens` are a part of `input_tokens`.
    """

    seconds: Decimal = Decimal()
    channels: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0


class Intent(Frozen):
    """A request that is about to be sent. `lease` outlives the longest wait for its answer.

    A stable `id` (`<recognition>:<attempt>`, `note:<call>:<part>`) names the same work whoever
    does it. `expected` is what it will cost as far as that is known before.
    """

    id: str = Field(default_factory=random_id)
    kind: EffectKind
    provider: str
    model: str = ""
    subject: Subject
    expected: Consumption = Consumption()
    lease: timedelta


class Outcome(Frozen):
    """How a request ended. `used` None leaves what was expected; `reason` is a stable code."""

    state: EffectState
    reason: str | None = None
    provider_ref: str | None = None
    used: Consumption | None = None


class Effect(Frozen):
    """A stored line. `cost` of `unknown` and `requested` lines is what is at stake."""

    id: str
    kind: EffectKind
    provider: str
    model: str
    client_id: str
    call_id: str | None
    state: EffectState
    requested_at: datetime
    lease_until: datetime
    finished_at: datetime | None
    provider_ref: str | None
    seconds: Decimal
    channels: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost: Decimal
    currency: str
    reason: str | None
    decision: Decision | None
    decided_by: str | None
    decided_at: datetime | None

    @property
    def used(self) -> Consumption:
        """What the line is billed for."""
        return Consumption(**{name: getattr(self, name) for name in Consumption.model_fields})


def recognition_effect(recognition_id: str, attempt: int) -> str:
    """The id of one paid request for a recognition."""
    return f"{recognition_id}:{attempt}"


def note_effect(call_id: str, part: int) -> str:
    """The id of one part (from 1) of a call's note."""
    return f"note:{call_id}:{part}"
