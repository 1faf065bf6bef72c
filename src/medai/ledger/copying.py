"""All lines of the ledger out, and into a ledger that may hold some of them."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from medai.infra.postgres import Pool, store_errors
from medai.ledger import statements
from medai.ledger.models import Effect
from medai.ledger.repository import EffectRepository, effect_of_row


class EffectCopies:
    """The whole bill. Every method raises StoreError when PostgreSQL is away."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._repository = EffectRepository(pool)

    async def prepare(self) -> None:
        """Create what is missing."""
        await self._repository.prepare()

    async def all(self) -> AsyncIterator[Effect]:
        """Every line by id, as they are at one moment; memory does not grow with them."""
        with store_errors():
            async with self._pool.connection() as connection, connection.transaction():
                await connection.execute(statements.DECLARE_ALL, prepare=False)
                rows = [()]
                while rows:
                    fetched = await connection.execute(statements.FETCH_ALL, prepare=False)
                    rows = await fetched.fetchall()
                    for row in rows:
                        yield effect_of_row(row)

    async def restore(self, effects: Sequence[Effect]) -> None:
        """Store lines; of two with one id the one that was touched later stays.

        A bill is never shortened: other lines of this ledger remain.
        """
        fields = [effect.model_dump() for effect in effects]
        with store_errors():
            async with self._pool.connection() as connection, connection.transaction():
                await connection.cursor().executemany(statements.RESTORE, fields)

    async def missing(self, effects: Sequence[Effect]) -> list[str]:
        """Ids of those lines that are not stored, neither like this nor in a later state."""
        stored = await self._repository.by_ids([effect.id for effect in effects])
        return [
            effect.id
            for effect in effects
            if (found := stored.get(effect.id)) != effect
            and (found is None or touched(found) <= touched(effect))
        ]


def touched(effect: Effect) -> datetime:
    """The last moment something was entered in the line."""
    moments = (effect.requested_at, effect.finished_at, effect.decided_at)
    return max(moment for moment in moments if moment is not None)
