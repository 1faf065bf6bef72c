"""Equal questions that are asked at the same time share one answer."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from time import monotonic
from typing import Generic, TypeVar

Answer = TypeVar("Answer")

_PAUSE_SHARE = 0.5
_LONGEST_PAUSE_SECONDS = 0.25


@dataclass(slots=True)
class _Turn(Generic[Answer]):
    """One reading at a time; `next` has not begun, and `askers` wait for it."""

    reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    next: "asyncio.Task[Answer] | None" = None
    askers: int = 0


class Joined(Generic[Answer]):
    """Reads for all who wait. Nobody is given an answer whose reading began before the question:
    who comes while one is being read waits for the next, together with all others like them.

    After a reading that many shared the next one begins a little later: they are about to ask
    again, and would otherwise need one reading for the first of them and one for the rest.
    Raises what the reading raises, to everybody who waited for it.
    """

    def __init__(self) -> None:
        self._turns: dict[Hashable, _Turn[Answer]] = {}
        self._pause = 0.0

    async def ask(self, question: Hashable, read: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer; `read` must depend on the question alone."""
        turn = self._turns.setdefault(question, _Turn())
        if turn.next is None:
            turn.next, turn.askers = asyncio.create_task(self._read(question, turn, read)), 0
        turn.askers += 1
        # Who gives up (a client that hung up) takes the answer from nobody else.
        return await asyncio.shield(turn.next)

    async def _read(
        self, question: Hashable, turn: _Turn[Answer], read: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        if not turn.reading.locked():
            await asyncio.sleep(self._pause)
        async with turn.reading:
            turn.next, askers, began = None, turn.askers, monotonic()
            try:
                return await read()
            finally:
                pause = min((monotonic() - began) * _PAUSE_SHARE, _LONGEST_PAUSE_SECONDS)
                self._pause = pause if askers > 1 else 0.0
                if turn.next is None:
                    del self._turns[question]
