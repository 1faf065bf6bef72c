"""Scorecards, scores and their proof."""

from datetime import datetime
from enum import IntEnum
from typing import Any

from medai.kit.model import Frozen
from medai.transcription.models import Role


class CallType(IntEnum):
    """Call types of the contract (section 7): ids are data, labels are DataLens values."""

    FIRST = 1
    REPEAT = 2
    CALL_BACK = 3
    CONFIRMATION = 4
    OTHER = 5

    @property
    def label(self) -> str:
        """The Russian label stored in documents and boards."""
        return ("первичка", "вторичка", "перезвон", "подтверждение", "другое")[self - 1]


class Evidence(Frozen):
    """A verbatim quote of one utterance, found in the transcript before it is stored."""

    quote: str
    role: Role
    start_ms: int
    end_ms: int


class CriterionScore(Frozen):
    """One criterion of one call.

    `score` is 0-10, None when not applicable. `evidence` proves a positive score; a zero for
    something absent is proven by the searched window (`searched_ms`: start, end). `needs_review`
    marks a score whose proof could not be verified. `decided_by` is "crm" for booking facts.
    """

    key: str
    name: str
    score: int | None
    comment: str
    evidence: tuple[Evidence, ...] = ()
    searched_ms: tuple[int, int] | None = None
    needs_review: bool = False
    decided_by: str = "model"


class Usage(Frozen):
    """What LLM requests consumed, summed over the calls of one analysis."""

    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    requests: int = 0


class CallAnalysis(Frozen):
    """The full result of analysing one call, with all that is needed to replay it."""

    call_id: str
    client_id: str
    call_type: CallType
    explanation: str
    criteria: tuple[CriterionScore, ...]
    overall: float
    recommendations: tuple[str, ...]
    needs_review: bool
    scorecard_version: str
    prompt_hash: str
    model: str
    usage: Usage
    raw: tuple[dict[str, Any], ...]
    analysed_at: datetime


class AdministratorGuess(Frozen):
    """Who the transcript says was on the line (contract 4.7)."""

    first_name: str
    last_name: str
    confidence: float
