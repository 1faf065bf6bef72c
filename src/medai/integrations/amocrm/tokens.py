"""A valid access token for everybody who asks, refreshed once for all of them (amocrm.md 1.2)."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from medai.errors import ProviderRateLimitedError, ProviderStoppedError, ProviderUnavailableError
from medai.kit.clock import Clock, utc_now

from .failures import PROVIDER
from .token_pair import TokenPair

logger = structlog.get_logger(__name__)

REFRESH_PAUSE = timedelta(minutes=1)
"""After a failed refresh the old token serves meanwhile; the endpoint is not asked each time."""

REFUSAL_KEPT = timedelta(minutes=10)
"""A dead refresh token stays dead until a person acts: asking at each request would hammer."""

_NOT_CONNECTED = "Аккаунт amoCRM не подключён: выполните подключение клиники"
_EXPIRED = "Долгосрочный токен amoCRM истёк или отозван: создайте новый на вкладке «Ключи»"


class TokenStore(Protocol):
    """Where the pair of one account lives, shared by all processes."""

    async def load(self) -> TokenPair | None:
        """The stored pair, or None before the first authorisation."""

    async def save(self, pair: TokenPair) -> None:
        """Replace the pair; durable when this returns."""

    def lock(self) -> AbstractAsyncContextManager[None]:
        """Exclusive among all processes that may refresh this account."""


class Tokens:
    """The account's tokens. `refresh` trades a refresh token for a new pair (oauth.refresh).

    A refresh token works once, so its use is serialised: one task per process, one process at a
    time through the store's lock, the pair read again inside it and stored before it is used.
    """

    def __init__(
        self,
        store: TokenStore,
        refresh: Callable[[str], Awaitable[TokenPair]],
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._store = store
        self._refresh = refresh
        self._clock = clock
        self._pair: TokenPair | None = None
        self._renewal: asyncio.Task[TokenPair] | None = None
        self._refused: tuple[str, datetime, ProviderStoppedError] | None = None
        self._paused_until: datetime | None = None

    async def bearer(self) -> str:
        """An access token that has not expired, refreshed ahead of its end.

        Raises ProviderStoppedError when the account must be authorised again, and
        ProviderUnavailableError or ProviderRateLimitedError when an expired token cannot be
        refreshed right now.
        """
        pair = self._pair = self._pair or await self._load()
        if self._serves(pair):
            return pair.access
        try:
            return (await self._renewed(pair.access)).access
        except (ProviderUnavailableError, ProviderRateLimitedError) as error:
            now = self._clock()
            if not pair.is_valid(now):
                raise
            logger.warning("amocrm_refresh_postponed", code=error.code, status=error.status)
            self._paused_until = now + REFRESH_PAUSE
            return pair.access

    async def rejected(self, token: str) -> str:
        """A token other than the one that was just answered with 401.

        Refreshes unless another coroutine or process has already done so. Raises as `bearer`.
        """
        if self._pair is not None and self._pair.access != token:
            return self._pair.access
        return (await self._renewed(token)).access

    def _serves(self, pair: TokenPair) -> bool:
        now = self._clock()
        if pair.refresh is None:
            return pair.is_valid(now)
        paused = self._paused_until is not None and now < self._paused_until
        return not pair.is_due(now) or (paused and pair.is_valid(now))

    async def _renewed(self, stale: str) -> TokenPair:
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._renew(stale))
            self._renewal.add_done_callback(_mark_retrieved)
        # Shielded: a waiter that is cancelled between the answer and its storing would lose the
        # only refresh token and with it the account.
        return await asyncio.shield(self._renewal)

    async def _renew(self, stale: str) -> TokenPair:
        async with self._store.lock():
            pair = await self._load()
            if pair.access == stale or not self._serves(pair):
                pair = await self._refreshed(pair)
                await self._store.save(pair)
                logger.info("amocrm_token_refreshed", expires_at=pair.expires_at.isoformat())
            self._pair, self._paused_until = pair, None
            return pair

    async def _refreshed(self, pair: TokenPair) -> TokenPair:
        if pair.refresh is None:
            raise ProviderStoppedError(PROVIDER, _EXPIRED, status=401)
        if self._refused is not None and self._refused[0] == pair.refresh:
            _, until, refusal = self._refused
            if self._clock() < until:
                raise refusal
        try:
            return await self._refresh(pair.refresh)
        except ProviderStoppedError as error:
            self._refused = (pair.refresh, self._clock() + REFUSAL_KEPT, error)
            raise

    async def _load(self) -> TokenPair:
        if (pair := await self._store.load()) is None:
            raise ProviderStoppedError(PROVIDER, _NOT_CONNECTED)
        return pair


def _mark_retrieved(task: asyncio.Task[TokenPair]) -> None:
    """Keep asyncio from reporting a failure whose every waiter was cancelled."""
    if not task.cancelled():
        task.exception()
