"""The one way HTTP clients are opened: timeouts, keep-alive, our name, no surprise redirects."""

import httpx2

from medai import __version__

USER_AGENT = f"MedAI/{__version__}"

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
"""amocrm.md 13.1. A provider that needs longer passes its own value."""

KEPT_ALIVE_SECONDS = 3.0
"""Servers commonly close idle connections after 5 s: a request that meets the closing is lost."""

_DIRECT = ("all://127.0.0.1", "all://localhost", "all://[::1]")


def open_client(
    *,
    connect_seconds: float = CONNECT_SECONDS,
    read_seconds: float = READ_SECONDS,
    max_connections: int = 100,
    proxy: str | None = None,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> httpx2.AsyncClient:
    """An HTTP client with keep-alive and gzip; the caller closes it (`async with` or `aclose`).

    Redirects are not followed: a token must not travel to a host that an answer names. `proxy`
    is an address such as socks5://user:password@host:1080; without it the usual environment
    variables count, but loopback (sandbox, local PBX) is always reached directly.
    """
    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(read_seconds, connect=connect_seconds),
        limits=httpx2.Limits(
            max_connections=max_connections,
            max_keepalive_connections=max_connections,
            keepalive_expiry=KEPT_ALIVE_SECONDS,
        ),
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"},
        follow_redirects=False,
        proxy=proxy,
        transport=transport,
        mounts=None if transport else dict.fromkeys(_DIRECT),
    )
