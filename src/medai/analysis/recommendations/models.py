"""Conclusions of a period and the figures behind them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from medai.analysis.models import Usage
from medai.kit.model import Frozen

PeriodType = Literal["weekly", "monthly"]
"""Weekly stands for any exact period (contract 2.2)."""


class Zone(StrEnum):
    """Where a mean lies (contract 7)."""

    STRONG = "strong"
    GROWTH = "growth"
    CRITICAL = "critical"

    @property
    def heading(self) -> str:
        """What people read above the criteria of the zone."""
        return {
            Zone.STRONG: "Сильные стороны (8–10)",
            Zone.GROWTH: "Зоны роста (5–7,9)",
            Zone.CRITICAL: "Критические зоны (ниже 5)",
        }[self]


class CriterionMean(Frozen):
    """A criterion over a period. `score` has one decimal; `weeks` are the means it consists of."""

    key: str
    name: str
    score: float
    count: int
    weeks: tuple[float, ...] = ()

    @property
    def zone(self) -> Zone:
        """By the shown mean: what is written as 8,0 stands among the strong ones."""
        if self.score >= _STRONG_FROM:
            return Zone.STRONG
        return Zone.GROWTH if self.score >= _GROWTH_FROM else Zone.CRITICAL


class Conclusions(Frozen):
    """What is concluded from the calls of a period. Without calls there is nothing to store.

    `overall_summary` is markdown. All figures in it were computed here, none by the model.
    """

    client_id: str
    period_type: PeriodType
    first: date
    last: date
    summary_points: tuple[str, ...] = ()
    overall_summary: str = ""
    means: tuple[CriterionMean, ...] = ()
    calls: int = 0
    sampled_calls: int = 0
    weekly_analyses_count: int = 0
    model: str = ""
    prompt_hash: str = ""
    usage: Usage = Field(default_factory=Usage)
    created_at: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the period had nothing to conclude from."""
        return self.created_at is None


_STRONG_FROM = 8.0
_GROWTH_FROM = 5.0
