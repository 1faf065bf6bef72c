"""The queue of updates with its single long poller."""

import asyncio
import itertools
from typing import Any

from medai.sandbox.telegram.errors import CONFLICT, RefusedError

Update = dict[str, Any]

_LONGEST_POLL = 50.0
_MOST_UPDATES = 100
_ONLY_ON_REQUEST = ("chat_member", "message_reaction", "message_reaction_count")


class Updates:
    """Updates not yet confirmed. Used from one event loop."""

    def __init__(self) -> None:
        self._numbers = itertools.count(700_000_001)
        self._queue: list[Update] = []
        self._newest: Update | None = None
        self._repeated: Update | None = None
        self._changed = asyncio.Event()
        self._poller = 0
        self._allowed: tuple[str, ...] = ()

    @property
    def pending(self) -> int:
        """How many wait for a poller."""
        return len(self._queue)

    def add(self, kind: str, content: dict[str, Any]) -> int | None:
        """Queue an update of the kind, unless the bot asked not to get it. Returns its id."""
        if not self._wanted(kind):
            return None
        update: Update = {"update_id": next(self._numbers), kind: content}
        self._queue.append(update)
        self._newest = update
        self._wake()
        return int(update["update_id"])

    def repeat_last(self) -> None:
        """Telegram may deliver an update twice: the newest one comes again, confirmed or not."""
        self._repeated = self._newest
        self._wake()

    def drop(self) -> None:
        """Forget everything that waits."""
        self._queue.clear()

    def stop_poller(self) -> None:
        """End the poll under way with 409."""
        self._poller += 1
        self._wake()

    def allow(self, kinds: list[str] | None) -> None:
        """Remember the wanted kinds; None keeps the last list, [] means the default ones."""
        if kinds is not None:
            self._allowed = tuple(kinds)

    async def poll(self, offset: int, limit: int, timeout: float) -> list[Update]:
        """Updates from `offset` on; waits up to `timeout` seconds for the first.

        A newer poll ends this one. Raises RefusedError (409).
        """
        self._confirm(offset)
        self._poller += 1
        mine = self._poller
        self._wake()
        deadline = asyncio.get_running_loop().time() + min(timeout, _LONGEST_POLL)
        while not self._queue and self._repeated is None:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0 or not await self._change(left):
                break
            if mine != self._poller:
                raise RefusedError(409, CONFLICT)
        again = [self._repeated] if self._repeated else []
        self._repeated = None
        return (again + self._queue)[: min(max(limit, 1), _MOST_UPDATES)]

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            self._queue = self._queue[offset:]
        elif offset:
            self._queue = [update for update in self._queue if update["update_id"] >= offset]

    def _wanted(self, kind: str) -> bool:
        return kind in self._allowed if self._allowed else kind not in _ONLY_ON_REQUEST

    async def _change(self, seconds: float) -> bool:
        changed = self._changed
        try:
            await asyncio.wait_for(changed.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
