"""The ledger of effects: intent before every paid or posting request, outcome after it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from medai.kit.clock import Clock
from medai.kit.days import DayRange
from medai.kit.ids import random_id
from medai.ledger.costs import CallCosts, CostReport, Grouping, call_costs, cost_report
from medai.ledger.models import (
    Consumption,
    Decision,
    Effect,
    EffectKind,
    EffectState,
    Intent,
    Outcome,
)
from medai.ledger.prices import Prices
from medai.ledger.repository import EffectRepository


class EffectLedger:
    """Keeps the `Effects` port and answers what was spent. Every method raises StoreError."""

    def __init__(self, repository: EffectRepository, prices: Prices, clock: Clock) -> None:
        self._repository = repository
        self._prices = prices
        self._clock = clock

    async def begin(self, intent: Intent) -> str:
        """See `Effects.begin`."""
        line = self._line(intent)
        if await self._repository.enter(line):
            return line.id
        beside = line.model_copy(update={"id": f"{line.id}#{random_id()}"})
        await self._repository.enter(beside)
        return beside.id

    async def finish(self, effect_id: str, outcome: Outcome) -> None:
        """See `Effects.finish`."""
        fields: dict[str, Any] = outcome.model_dump(exclude={"used"})
        used = Consumption() if outcome.state is EffectState.FAILED else outcome.used
        measured = used.model_dump() if used else dict.fromkeys(Consumption.model_fields)
        cost = self._prices.cost(used) if used else None
        await self._repository.settle(
            effect_id, {**fields, **measured, "cost": cost, "now": self._clock()}
        )

    async def expire(self, now: datetime) -> int:
        """Requests of dead processes become unknown when their lease is over; how many did.

        To be called every minute or so: nothing else ends such lines.
        """
        return await self._repository.expire(now)

    async def of_call(self, call_id: str) -> list[Effect]:
        """Every request made for a call, oldest first."""
        return await self._repository.of_call(call_id)

    async def call_costs(self, call_id: str) -> CallCosts:
        """What a call cost so far."""
        return call_costs(call_id, await self._repository.of_call(call_id))

    async def by_ids(self, effect_ids: Sequence[str]) -> dict[str, Effect]:
        """The lines with these ids."""
        return await self._repository.by_ids(effect_ids)

    async def doubtful(self, kind: EffectKind) -> list[Effect]:
        """Lines whose answer was lost and about which nobody has decided, oldest first."""
        return await self._repository.unknown(kind)

    async def decide(self, effect_id: str, decision: Decision, *, by: str) -> None:
        """Enter who decided what about a line, and when."""
        await self._repository.decide(effect_id, decision, by, self._clock())

    async def costs(
        self, client_id: str, days: DayRange, tz: ZoneInfo, grouping: Grouping = Grouping.DAY
    ) -> CostReport:
        """What a clinic's requests cost by business day of its zone, or by month."""
        found = await self._repository.sums(client_id, days, tz)
        return cost_report(client_id, days, grouping, found)

    def _line(self, intent: Intent) -> Effect:
        now = self._clock()
        return Effect(
            id=intent.id,
            kind=intent.kind,
            provider=intent.provider,
            model=intent.model,
            client_id=intent.subject.client_id,
            call_id=intent.subject.call_id,
            state=EffectState.REQUESTED,
            requested_at=now,
            lease_until=now + intent.lease,
            finished_at=None,
            provider_ref=None,
            cost=self._prices.cost(intent.expected),
            currency=self._prices.currency,
            reason=None,
            decision=None,
            decided_by=None,
            decided_at=None,
            **intent.expected.model_dump(),
        )
