"""The ledger in PostgreSQL: one row per request, money as exact numerics, sums in SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from medai.infra.postgres import Pool, store_errors
from medai.kit.days import DayRange, day_window
from medai.ledger import statements
from medai.ledger.costs import DaySums, sums_of
from medai.ledger.models import Consumption, Decision, Effect, EffectKind, EffectState

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Price:
    """Who is paid how much for a line."""

    provider: str
    currency: str
    amount: Decimal


class EffectRepository:
    """Reads and writes the lines. Every method raises StoreError when PostgreSQL is away."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def prepare(self) -> None:
        """Create what is missing; safe from many processes at once."""
        with store_errors():
            async with self._pool.connection() as connection, connection.transaction():
                await connection.execute(statements.LOCK)
                for statement in statements.SCHEMA:
                    await connection.execute(statement)

    async def enter(self, effect: Effect) -> bool:
        """Store a line that is requested, or take up one that failed or was never finished.

        False, and nothing stored, when a line of this id is done or unknown.
        """
        return bool(await self._rows(statements.ENTER, effect.model_dump()))

    async def settle(self, effect_id: str, fields: Mapping[str, Any]) -> Price | None:
        """Enter an outcome (`statements.SETTLE`); None when the line is settled otherwise."""
        rows = await self._rows(statements.SETTLE, {**fields, "id": effect_id})
        return Price(*rows[0]) if rows else None

    async def expire(self, now: datetime) -> int:
        """Turn lines whose lease is over into unknown ones; returns how many."""
        return len(await self._rows(statements.EXPIRE, {"now": now}))

    async def decide(self, effect_id: str, decision: Decision, by: str, now: datetime) -> None:
        """Enter what a person decided about a line."""
        fields = {"id": effect_id, "decision": decision, "by": by, "now": now}
        await self._rows(statements.DECIDE, fields)

    async def by_ids(self, effect_ids: Sequence[str]) -> dict[str, Effect]:
        """The lines with these ids."""
        rows = await self._rows(statements.BY_IDS, {"ids": list(effect_ids)})
        return {effect.id: effect for effect in map(effect_of_row, rows)}

    async def of_call(self, call_id: str) -> list[Effect]:
        """All lines of a call, oldest first."""
        rows = await self._rows(statements.OF_CALL, {"call_id": call_id})
        return [effect_of_row(row) for row in rows]

    async def unknown(self, kind: EffectKind) -> list[Effect]:
        """Lines of a kind whose answer was lost and nobody has decided about, oldest first."""
        return [effect_of_row(row) for row in await self._rows(statements.UNKNOWN, {"kind": kind})]

    async def sums(self, client_id: str, days: DayRange, tz: ZoneInfo) -> list[DaySums]:
        """Sums of a clinic by business day of its zone and by kind."""
        windows = [(day, day_window(day, tz)) for day in days]
        fields = {
            "client_id": client_id,
            "days": [day for day, _ in windows],
            "starts": [window.start for _, window in windows],
            "ends": [window.end for _, window in windows],
        }
        return [_sums(*row) for row in await self._rows(statements.SUMS, fields)]

    async def _rows(self, statement: Any, fields: Mapping[str, Any]) -> list[Row]:
        with store_errors():
            async with self._pool.connection() as connection:
                return await (await connection.execute(statement, fields)).fetchall()


def effect_of_row(row: Row) -> Effect:
    """The line behind a row of `statements.COLUMNS`."""
    return Effect.model_validate(dict(zip(statements.COLUMNS, row, strict=True)))


def _sums(  # one parameter per column of `statements.SUMS`
    day: date, kind: str, currency: str, state: str, count: int, seconds: Decimal,
    input_tokens: int, cached_tokens: int, output_tokens: int, cost: Decimal,
) -> DaySums:  # fmt: skip
    used = Consumption(
        seconds=seconds,
        input_tokens=input_tokens,
        cached_tokens=cached_tokens,
        output_tokens=output_tokens,
    )
    sums = sums_of(EffectState(state), count, used, {currency: cost} if cost else {})
    return DaySums(day=day, kind=EffectKind(kind), sums=sums)
