"""Fetching a recording by a foreign link without letting the link choose where we connect.

Against DNS rebinding the name is resolved once, every address is checked, and the request goes to
the checked address itself: the URL carries the address, the `Host` header and the TLS server name
(`sni_hostname`, which also drives certificate verification) carry the name. Connections are never
reused, because two names behind one address would share a certificate check.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2

from medai.errors import RecordingError
from medai.infra import measures
from medai.integrations.recordings import answers
from medai.integrations.recordings.addresses import (
    AllowedHosts,
    Resolver,
    checked_addresses,
    port_of,
    resolve,
)
from medai.integrations.recordings.options import FetchOptions

MAX_REDIRECTS = 5
_CONNECT_SECONDS = 10.0
_SILENCE_SECONDS = 30.0
"""Longest wait for a connection and for the next bytes (contract 5.2 gave 30 s to everything)."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A downloaded recording: content, declared type and the host that finally served it."""

    data: bytes
    content_type: str
    final_url_host: str


class RecordingFetcher:
    """Downloads recordings. Sends no cookies and no CRM token; verifies TLS certificates."""

    def __init__(
        self,
        options: FetchOptions,
        *,
        resolver: Resolver = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`tls` trusts a clinic's own certificate authority; by default the public ones."""
        self._options = options
        self._allowed = AllowedHosts(options.allow_hosts)
        self._resolver = resolver
        self._slots = asyncio.Semaphore(options.concurrency)
        verify = tls if tls is not None else True
        self._direct = _client(None, verify)
        self._proxied = _client(options.proxy.get_secret_value(), verify) if options.proxy else None

    async def fetch(self, url: str) -> Fetched:
        """Download the recording; hosts of the proxy list go through it first, then directly.

        Raises RecordingError, `final` when asking again cannot help.
        """
        start = _parsed(url)
        async with self._slots:
            if self._options.proxied(start.host):
                try:
                    return await self._within_time(start, through_proxy=True)
                except RecordingError as error:
                    if error.final:
                        raise
            return await self._within_time(start, through_proxy=False)

    async def aclose(self) -> None:
        """Close connections."""
        await self._direct.aclose()
        if self._proxied is not None:
            await self._proxied.aclose()

    async def _within_time(self, url: httpx2.URL, *, through_proxy: bool) -> Fetched:
        with measures.provider_request(measures.RECORDINGS):
            return await self._attempt(url, through_proxy=through_proxy)

    async def _attempt(self, url: httpx2.URL, *, through_proxy: bool) -> Fetched:
        try:
            async with asyncio.timeout(self._options.timeout_seconds):
                return await self._follow(url, through_proxy=through_proxy)
        except (TimeoutError, httpx2.TimeoutException) as error:
            raise RecordingError(
                "Сервер записей не ответил вовремя: попытка будет повторена", final=False
            ) from error
        except (httpx2.TransportError, OSError) as error:
            raise RecordingError(
                "Связь с сервером записей прервалась: попытка будет повторена", final=False
            ) from error

    async def _follow(self, url: httpx2.URL, *, through_proxy: bool) -> Fetched:
        for _ in range(MAX_REDIRECTS + 1):
            async with self._answer(url, through_proxy=through_proxy) as response:
                location = response.headers.get("location")
                if not (response.is_redirect and location):
                    return await self._received(response, url.host)
            url = _parsed(location, base=url)
        raise RecordingError(
            "Ссылка на запись перенаправляет по кругу: попытка будет повторена", final=False
        )

    @asynccontextmanager
    async def _answer(
        self, url: httpx2.URL, *, through_proxy: bool
    ) -> AsyncIterator[httpx2.Response]:
        if through_proxy and self._proxied is not None and self._options.proxied(url.host):
            # The operator named this host for the proxy, and the proxy resolves the name.
            response = await self._proxied.send(_request(self._proxied, url, url.host), stream=True)
        else:
            response = await self._send_pinned(url)
        try:
            yield response
        finally:
            await response.aclose()

    async def _send_pinned(self, url: httpx2.URL) -> httpx2.Response:
        port = port_of(url.scheme, url.port)
        addresses = await checked_addresses(
            url.host, port, allowed=self._allowed, resolver=self._resolver
        )
        failure: httpx2.TransportError = httpx2.ConnectError("no address")
        for address in addresses:
            try:
                return await self._direct.send(_request(self._direct, url, address), stream=True)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                failure = error
        raise failure

    async def _received(self, response: httpx2.Response, host: str) -> Fetched:
        answers.check_status(response.status_code)
        chunks: list[bytes] = []
        total = 0
        # Raw bytes: we asked for no compression, and a compressed answer could be a bomb.
        async for chunk in response.aiter_raw():
            total += len(chunk)
            if total > self._options.max_bytes:
                raise RecordingError(
                    "Запись больше разрешённого размера: увеличьте RECORDINGS_MAX_MEGABYTES",
                    final=True,
                )
            chunks.append(chunk)
        data = b"".join(chunks)
        content_type = response.headers.get("content-type", "")
        answers.check_body(data, content_type)
        return Fetched(data, content_type, host)


def _client(proxy: str | None, verify: ssl.SSLContext | bool) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        proxy=proxy,
        verify=verify,
        trust_env=False,
        timeout=httpx2.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS, pool=None),
        limits=httpx2.Limits(max_keepalive_connections=0),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
    )


def _request(client: httpx2.AsyncClient, url: httpx2.URL, address: str) -> httpx2.Request:
    """A GET for `url` that connects to `address`. The referer is what Mango's player sends."""
    name = url.raw_host.decode("ascii")
    headers = {
        "Host": url.netloc.decode("ascii"),
        "User-Agent": "Mozilla/5.0 (compatible; MedAI)",
        "Accept": "audio/*, application/octet-stream;q=0.9, */*;q=0.1",
        "Accept-Encoding": "identity",
        "Connection": "close",
        "Referer": f"{url.scheme}://{url.netloc.decode('ascii')}/",
    }
    return client.build_request(
        "GET", url.copy_with(host=address), headers=headers, extensions={"sni_hostname": name}
    )


def _parsed(text: str, *, base: httpx2.URL | None = None) -> httpx2.URL:
    try:
        url = base.join(text) if base is not None else httpx2.URL(text.strip())
    except (httpx2.InvalidURL, ValueError, TypeError) as error:
        raise _unusable() from error
    if url.scheme not in ("http", "https") or not url.host:
        raise _unusable()
    return url


def _unusable() -> RecordingError:
    return RecordingError(
        "Ссылка на запись неверна: нужен адрес http или https, проверьте интеграцию телефонии",
        final=True,
    )
