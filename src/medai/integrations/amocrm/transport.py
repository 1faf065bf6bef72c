"""One request to amoCRM: turn, token, timeout, retries, and errors by name."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence

import httpx2
import structlog

from medai.errors import ProviderRateLimitedError, ProviderUnavailableError
from medai.infra import measures
from medai.kit.clock import Clock

from .answers import judged, without_answer
from .breaker import Breaker
from .failures import PROVIDER, AccountStoppedError, failure, request_id
from .models.lenient import JsonObject
from .tokens import Tokens

logger = structlog.get_logger(__name__)

Params = Sequence[tuple[str, str]]
"""Query parameters; a name may repeat (`filter[id][]`)."""

Sleep = Callable[[float], Awaitable[object]]

ATTEMPTS = 3
"""In all. One level only: callers and jobs wait minutes, not seconds."""

IN_FLIGHT = 4
"""Requests of one account at a time (amocrm.md 13.1: 3-5)."""

FIRST_RETRY_SECONDS = 1.0

REQUEST_SECONDS = 90.0
"""A whole exchange: read timeouts restart with each byte, so a dripping answer would never end."""


class Transport:
    """Sends requests of one account. `base_url` may end in a path, which is kept."""

    def __init__(
        self,
        base_url: str,
        http: httpx2.AsyncClient,
        tokens: Tokens,
        wait_turn: Callable[[], Awaitable[object]],
        *,
        clock: Clock,
        sleep: Sleep,
    ) -> None:
        self._root = f"{base_url.rstrip('/')}/api/v4/"
        self._http = http
        self._tokens = tokens
        self._wait_turn = wait_turn
        self._sleep = sleep
        self._breaker = Breaker(clock)
        self._slots = asyncio.Semaphore(IN_FLIGHT)

    async def get(
        self, path: str, params: Params = (), *, splittable: bool = False
    ) -> JsonObject | None:
        """The answer's object; None for 204, which means "nothing found".

        `splittable`: the caller can ask for less, so a 504 is raised at once instead of retried
        (amocrm.md 2.2). Raises the provider errors of medai.errors.
        """
        return await self._request("GET", path, params, splittable=splittable)

    async def write(self, method: str, path: str, body: object) -> JsonObject | None:
        """POST or PATCH a JSON body. Raises AnswerLostError when it may have been carried out."""
        return await self._request(method, path, (), body=body)

    async def _request(
        self,
        method: str,
        path: str,
        params: Params,
        *,
        body: object = None,
        splittable: bool = False,
    ) -> JsonObject | None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._attempt(method, path, params, body)
            except ProviderRateLimitedError as error:
                # A 429 was refused whole, so even a write may be repeated (amocrm.md 2.2).
                if attempt == ATTEMPTS or self._breaker.is_open:
                    raise
                logger.warning("amocrm_limited", path=path, retry_after=error.retry_after)
            except ProviderUnavailableError as error:
                timed_out = error.status == httpx2.codes.GATEWAY_TIMEOUT
                if attempt == ATTEMPTS or (splittable and timed_out):
                    raise
                await self._sleep(_jittered(attempt))
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _attempt(
        self, method: str, path: str, params: Params, body: object
    ) -> JsonObject | None:
        token = await self._token(None)
        response = await self._send(method, path, params, body, token)
        if response.status_code == httpx2.codes.UNAUTHORIZED:
            token = await self._token(token)
            response = await self._send(method, path, params, body, token)
        return judged(method, response)

    async def _token(self, rejected: str | None) -> str:
        seen = self._breaker.strikes
        try:
            if rejected is None:
                return await self._tokens.bearer()
            return await self._tokens.rejected(rejected)
        except ProviderRateLimitedError as error:
            # The token endpoint shares the account's limit and its ban (amocrm.md 2.2).
            self._breaker.limited(seen, error.retry_after)
            raise

    async def _send(
        self, method: str, path: str, params: Params, body: object, token: str
    ) -> httpx2.Response:
        async with self._slots:
            self._breaker.check()
            if pause := self._breaker.pause():
                await self._sleep(pause)
            await self._wait_turn()
            # Asked again: the account may have been closed while this request waited.
            self._breaker.check()
            return await self._exchanged(method, path, params, body, token)

    async def _exchanged(
        self, method: str, path: str, params: Params, body: object, token: str
    ) -> httpx2.Response:
        seen, started = self._breaker.strikes, time.perf_counter()
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                response = await self._http.request(
                    method, self._root + path, params=list(params), json=body, headers=headers
                )
        except (httpx2.RequestError, TimeoutError) as error:
            logger.warning("amocrm_request", method=method, path=path, error=type(error).__name__)
            lost = without_answer(method, error)
            measures.provider_answered(PROVIDER, time.perf_counter() - started, lost.code)
            raise lost from error
        logger.info(
            "amocrm_request",
            method=method,
            path=path,
            status=response.status_code,
            ms=round((time.perf_counter() - started) * 1000),
            id=request_id(response),
        )
        self._note(response, seen, time.perf_counter() - started)
        return response

    def _note(self, response: httpx2.Response, seen: int, seconds: float) -> None:
        """Tell the breaker what the answer says about the account, and count it."""
        error = None if response.is_success else failure(response)
        measures.provider_answered(PROVIDER, seconds, error.code if error else None)
        if isinstance(error, ProviderRateLimitedError):
            self._breaker.limited(seen, error.retry_after)
        elif isinstance(error, AccountStoppedError):
            self._breaker.stopped(error)
        else:
            self._breaker.passed(seen)


def _jittered(attempt: int) -> float:
    """Seconds before the next try: about 1, then 2, spread so that workers do not march in step."""
    return float(FIRST_RETRY_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))  # noqa: S311 spread, not secrecy
