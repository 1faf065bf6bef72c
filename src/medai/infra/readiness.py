"""Whether the stores answer right now, asked rarely however often somebody wants to know."""

import asyncio
from collections.abc import Awaitable
from time import monotonic

import structlog

from medai.errors import StoreError
from medai.infra.documents import Collection, Documents
from medai.infra.postgres import Pool, store_errors

_log = structlog.get_logger(__name__)

ANSWER_SECONDS = 3.0
"""A store that takes longer counts as away."""
_KEPT_SECONDS = 1.0


class Readiness:
    """Looks at both stores. `probed` is any collection that exists."""

    def __init__(self, pool: Pool, documents: Documents, probed: Collection) -> None:
        self._pool = pool
        self._documents = documents
        self._probed = probed
        self._turn = asyncio.Lock()
        self._found: dict[str, bool] = {}
        self._at = 0.0

    async def check(self) -> dict[str, bool]:
        """Store -> whether it answered; at most a second old. Never raises."""
        async with self._turn:
            if not self._found or monotonic() - self._at >= _KEPT_SECONDS:
                postgres, documents = await asyncio.gather(
                    _answers(self._ask_postgres()), _answers(self._ask_documents())
                )
                self._found = {"postgres": postgres, "documents": documents}
                self._at = monotonic()
                if away := [store for store, answers in self._found.items() if not answers]:
                    _log.warning("not ready", away=away)
            return self._found

    async def _ask_postgres(self) -> None:
        with store_errors():
            async with self._pool.connection() as connection:
                await connection.execute("SELECT 1")

    async def _ask_documents(self) -> None:
        await self._documents.get(self._probed, "readiness")


async def _answers(question: Awaitable[None]) -> bool:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await question
    except (StoreError, TimeoutError):
        return False
    return True
