"""Which network addresses a foreign link may lead to (amocrm.md 11.2)."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from medai.errors import RecordingError

Resolver = Callable[[str, int], Awaitable[tuple[str, ...]]]
"""(host name or address literal, port) -> address literals. Raises OSError when there are none."""

_NAT64 = IPv6Network("64:ff9b::/96")
_PORTS = {"http": 80, "https": 443}


async def resolve(host: str, port: int) -> tuple[str, ...]:
    """Addresses of a host by the system resolver, IPv4 first, without repetitions."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    ordered = sorted(found, key=lambda entry: entry[0] != socket.AF_INET)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in ordered))


def is_public(literal: str) -> bool:
    """Whether the address belongs to the public internet.

    Private, loopback, link-local (cloud metadata), shared, multicast and reserved ranges are not
    public, nor is an IPv6 form that carries such an IPv4 address inside.
    """
    try:
        address = ip_address(literal)
    except ValueError:
        return False
    inner = _embedded(address) if isinstance(address, IPv6Address) else None
    if inner is not None:
        address = inner
    # Site-local (fec0::/10) is given up, so that Python calls it global; routers still pass it on.
    local = isinstance(address, IPv6Address) and address.is_site_local
    return address.is_global and not (address.is_multicast or address.is_reserved or local)


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 transition form leads to, if it is one."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour


class AllowedHosts:
    """The hosts excused from the public-address rule: `host` (any port) or `host:port` entries."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._entries = frozenset(entry.strip().lower() for entry in entries if entry.strip())

    def __contains__(self, place: tuple[str, int]) -> bool:
        host, port = place
        shown = f"[{host}]" if ":" in host else host
        forms = {host, shown, f"{shown}:{port}"}
        return not self._entries.isdisjoint(form.lower() for form in forms)


async def checked_addresses(
    host: str, port: int, *, allowed: AllowedHosts, resolver: Resolver
) -> tuple[str, ...]:
    """The addresses to connect to, every one of them permitted.

    One forbidden address among several spoils the name: an attacker who controls it could steer
    which one is used. Raises RecordingError: final for a forbidden address, not final when the
    name cannot be resolved now.
    """
    try:
        found = await resolver(host, port)
    except (OSError, UnicodeError) as error:
        raise RecordingError(
            "Адрес сервера записей не найден: проверьте ссылку, попытка будет повторена",
            final=False,
        ) from error
    if (host, port) not in allowed and not all(is_public(address) for address in found):
        raise RecordingError(
            "Ссылка на запись ведёт во внутреннюю сеть: если это своя АТС, добавьте её "
            "в RECORDINGS_ALLOW_HOSTS",
            final=True,
        )
    return found


def port_of(scheme: str, port: int | None) -> int:
    """The explicit port or the scheme's own."""
    return port if port is not None else _PORTS[scheme]
