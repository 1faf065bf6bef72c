"""Costs of a call, and of a clinic by day or month, from the lines of the ledger. Pure."""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from medai.kit.days import DayRange
from medai.kit.model import Frozen
from medai.ledger.models import Consumption, Effect, EffectKind, EffectState

Money = dict[str, Decimal]
"""Amounts by currency: prices may have changed their currency within a period."""


class Grouping(StrEnum):
    """How long the periods of a report are."""

    DAY = "day"
    MONTH = "month"


class Sums(Frozen):
    """Requests of one kind and what they came to.

    Counters of seconds and tokens and `cost` are of what is done. `at_stake` is the possible cost
    of lost answers (`unknown`), as far as it was known before: tokens of those are not.
    """

    done: int = 0
    unknown: int = 0
    failed: int = 0
    requested: int = 0
    seconds: Decimal = Decimal()
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost: Money = Field(default_factory=dict)
    at_stake: Money = Field(default_factory=dict)

    def plus(self, other: "Sums") -> "Sums":
        """Both together."""
        return Sums(
            done=self.done + other.done,
            unknown=self.unknown + other.unknown,
            failed=self.failed + other.failed,
            requested=self.requested + other.requested,
            seconds=self.seconds + other.seconds,
            input_tokens=self.input_tokens + other.input_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cost=together(self.cost, other.cost),
            at_stake=together(self.at_stake, other.at_stake),
        )


class CallCosts(Frozen):
    """What one call cost: sums by kind and the lines behind them, oldest first."""

    call_id: str
    kinds: dict[EffectKind, Sums]
    lines: tuple[Effect, ...]


class DaySums(Frozen):
    """What one kind came to on one business day."""

    day: date
    kind: EffectKind
    sums: Sums


class Period(Frozen):
    """Whole days with the sums of each kind; kinds without a request have empty sums."""

    first: date
    last: date
    kinds: dict[EffectKind, Sums]


class CostReport(Frozen):
    """A clinic's costs. `periods` without any request are left out."""

    client_id: str
    grouping: Grouping
    periods: tuple[Period, ...]
    total: Period


def sums_of(state: EffectState, count: int, used: Consumption, amount: Money) -> Sums:
    """`count` lines of one state that together consumed and cost this much."""
    if state is EffectState.DONE:
        return Sums(
            done=count,
            seconds=used.seconds,
            input_tokens=used.input_tokens,
            cached_tokens=used.cached_tokens,
            output_tokens=used.output_tokens,
            cost=amount,
        )
    at_stake = amount if state is EffectState.UNKNOWN else {}
    return Sums(**{state.value: count}, at_stake=at_stake)


def call_costs(call_id: str, lines: Sequence[Effect]) -> CallCosts:
    """The lines of a call and their sums."""
    kinds = {kind: Sums() for kind in EffectKind}
    for line in lines:
        amount = {line.currency: line.cost} if line.cost else {}
        kinds[line.kind] = kinds[line.kind].plus(sums_of(line.state, 1, line.used, amount))
    return CallCosts(call_id=call_id, kinds=kinds, lines=tuple(lines))


def cost_report(
    client_id: str, days: DayRange, grouping: Grouping, found: Iterable[DaySums]
) -> CostReport:
    """The sums of days as periods in time order, and their total."""
    periods: dict[DayRange, list[DaySums]] = {}
    lines = sorted(found, key=lambda line: line.day)
    for line in lines:
        periods.setdefault(_period(line.day, days, grouping), []).append(line)
    return CostReport(
        client_id=client_id,
        grouping=grouping,
        periods=tuple(_summed(period, of_period) for period, of_period in periods.items()),
        total=_summed(days, lines),
    )


def _period(day: date, days: DayRange, grouping: Grouping) -> DayRange:
    """The period a day belongs to; a month is cut off where the report begins and ends."""
    if grouping is Grouping.DAY:
        return DayRange(day, day)
    end = day.replace(day=monthrange(day.year, day.month)[1])
    return DayRange(max(days.first, day.replace(day=1)), min(days.last, end))


def _summed(days: DayRange, lines: Iterable[DaySums]) -> Period:
    kinds = {kind: Sums() for kind in EffectKind}
    for line in lines:
        kinds[line.kind] = kinds[line.kind].plus(line.sums)
    return Period(first=days.first, last=days.last, kinds=kinds)


def together(*amounts: Money) -> Money:
    """Amounts added up by currency."""
    total: Money = {}
    for amount in amounts:
        for currency, value in amount.items():
            total[currency] = total.get(currency, Decimal()) + value
    return total
