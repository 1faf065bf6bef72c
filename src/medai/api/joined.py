"""Equal questions that are asked at the same time share one answer."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


@dataclass(slots=True)
class _Turn(Generic[Answer]):
    """The reading under way, and the one that everybody who came since then waits for."""

    running: "asyncio.Task[Answer]"
    following: "asyncio.Task[Answer] | None" = None


class Joined(Generic[Answer]):
    """Reads for all who wait. Nobody is given an answer whose reading began before the question:
    who comes while one is being read waits for the next, together with all others like them.

    Raises what the reading raises, to everybody who waited for it.
    """

    def __init__(self) -> None:
        self._turns: dict[Hashable, _Turn[Answer]] = {}

    async def ask(self, question: Hashable, read: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer; `read` must depend on the question alone."""
        turn = self._turns.get(question)
        if turn is None:
            task = asyncio.create_task(self._read(question, read))
            self._turns[question] = _Turn(task)
        elif turn.following is None:
            task = asyncio.create_task(self._after(turn.running, question, read))
            turn.following = task
        else:
            task = turn.following
        # Who gives up (a client that hung up) takes the answer from nobody else.
        return await asyncio.shield(task)

    async def _read(self, question: Hashable, read: Callable[[], Awaitable[Answer]]) -> Answer:
        try:
            return await read()
        finally:
            turn = self._turns.pop(question)
            if turn.following is not None:
                self._turns[question] = _Turn(turn.following)

    async def _after(
        self,
        running: "asyncio.Task[Answer]",
        question: Hashable,
        read: Callable[[], Awaitable[Answer]],
    ) -> Answer:
        await asyncio.wait({running})
        return await self._read(question, read)
