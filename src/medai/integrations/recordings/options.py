"""How recordings are fetched: limits, allowed hosts and the proxy, taken from the settings."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote

from pydantic import SecretStr

from medai.errors import SettingsError
from medai.settings import Settings

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """`proxy` is a whole URL (it holds a password); `proxy_hosts` are suffixes on label borders."""

    allow_hosts: tuple[str, ...] = ()
    proxy: SecretStr | None = None
    proxy_hosts: tuple[str, ...] = ()
    max_bytes: int = 200 * _MEGABYTE
    timeout_seconds: float = 120.0
    concurrency: int = 8

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The RECORDINGS_* and PROXY_* groups. Raises SettingsError for a malformed proxy."""
        return cls(
            allow_hosts=_listed(settings.recordings_allow_hosts),
            proxy=proxy_address(settings),
            proxy_hosts=_listed(settings.recordings_proxy_hosts),
            max_bytes=settings.recordings_max_megabytes * _MEGABYTE,
            timeout_seconds=settings.recordings_timeout_seconds,
            concurrency=settings.recordings_concurrency,
        )

    def proxied(self, host: str) -> bool:
        """Whether this host is fetched through the proxy."""
        return self.proxy is not None and any(
            host == suffix or host.endswith(f".{suffix}") for suffix in self.proxy_hosts
        )


def proxy_address(settings: Settings) -> SecretStr | None:
    """PROXY_STRING (`host:port:user:password`, SOCKS5; contract 5.2), else the PROXY_* group."""
    text = settings.proxy_string.get_secret_value().strip()
    if text:
        return _from_text(text)
    if not (settings.proxy_enabled and settings.proxy_host):
        return None
    password = settings.proxy_password.get_secret_value()
    login = (settings.proxy_username, password) if settings.proxy_username else ()
    return _address(settings.proxy_type, settings.proxy_host, str(settings.proxy_port), login)


def _from_text(text: str) -> SecretStr:
    host, _, rest = text.partition(":")
    port, *login = rest.split(":", 2)
    if not host or not port.isdigit() or len(login) not in (0, 2):
        raise SettingsError("PROXY_STRING не читается: укажите host:port:user:password")
    return _address("socks5", host, port, login)


def _address(scheme: str, host: str, port: str, login: Iterable[str]) -> SecretStr:
    credentials = ":".join(quote(part, safe="") for part in login)
    return SecretStr(f"{scheme}://{credentials}{'@' if credentials else ''}{host}:{port}")


def _listed(text: str) -> tuple[str, ...]:
    return tuple(item.strip().lower().lstrip(".") for item in text.split(",") if item.strip())
