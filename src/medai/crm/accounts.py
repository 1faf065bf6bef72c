"""Opening the amoCRM account of a clinic: one client per clinic and process."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import httpx2

from medai.clinics.models import Clinic
from medai.crm.amocrm import AmocrmAccount
from medai.crm.amocrm_reading import AmocrmReader
from medai.crm.tokens import Cipher, ClinicTokenStore, newest_token_of
from medai.errors import InvalidInputError
from medai.infra.documents import Documents
from medai.integrations.amocrm import oauth
from medai.integrations.amocrm.client import AmocrmClient
from medai.integrations.amocrm.oauth import OAuthApp
from medai.integrations.amocrm.token_pair import TokenPair
from medai.integrations.amocrm.tokens import Tokens
from medai.kit.clock import Clock


class TurnLimiter(Protocol):
    """Hands out turns at a fixed rate over all processes."""

    async def wait(self, key: str) -> float:
        """Wait for the key's next turn; returns the seconds waited."""


@dataclass(frozen=True, slots=True)
class AccountParts:
    """What every account is opened with. `base_url_template` holds `{subdomain}`."""

    http: httpx2.AsyncClient
    documents: Documents
    cipher: Cipher
    hold: Callable[[str], AbstractAsyncContextManager[None]]
    limiter: TurnLimiter
    base_url_template: str
    default_redirect_url: str
    batch_size: int
    clock: Clock


class AmocrmAccounts:
    """Opens accounts and keeps them: the client carries the circuit breaker and the token."""

    def __init__(self, parts: AccountParts) -> None:
        self._parts = parts
        self._opened: dict[tuple[str, str, str], AmocrmAccount] = {}

    async def of(self, clinic: Clinic) -> AmocrmAccount:
        """The clinic's account. Raises InvalidInputError for a clinic without a subdomain."""
        # A changed secret or subdomain needs another client.
        key = (clinic.client_id, clinic.subdomain, clinic.client_secret)
        if key not in self._opened:
            self._opened[key] = AmocrmAccount(self._client(clinic))
        return self._opened[key]

    async def reader(self, clinic: Clinic) -> AmocrmReader:
        """The clinic's account for people who look things up. Raises as `of`."""
        return (await self.of(clinic)).reader

    def reopen(self, client_id: str) -> None:
        """Forget the clinic's client and what it was refused: somebody may have mended it."""
        for key in [key for key in self._opened if key[0] == client_id]:
            del self._opened[key]

    async def newest(self) -> str | None:
        """The client_id of the account that was connected or refreshed last."""
        return await newest_token_of(self._parts.documents)

    async def check_connected(self, clinic: Clinic) -> None:
        """Whether the CRM can be asked at all, without asking it.

        Raises InvalidInputError without a subdomain or token, SettingsError for a token that
        another secret encrypted.
        """
        self._base_url(clinic)
        if await self._store(clinic).load() is None:
            raise InvalidInputError(
                f"Клиника «{clinic.name}» не подключена к amoCRM: подключите её заново"
            )

    async def connect(self, clinic: Clinic, code: str) -> None:
        """Trade a one-time code for the clinic's first token pair and store it.

        Raises ProviderStoppedError with what to correct, and the temporary ProviderErrors.
        """
        parts = self._parts
        pair = await oauth.exchange_code(
            parts.http, self._base_url(clinic), self._app(clinic), code, clock=parts.clock
        )
        await self._store(clinic).save(pair)

    async def connect_long_lived(self, clinic: Clinic, token: str) -> None:
        """Store a token made by hand in the CRM's settings (amocrm.md 1.4)."""
        await self._store(clinic).save(TokenPair.long_lived(token))

    async def keep_access(self, clinic: Clinic) -> None:
        """Refresh the clinic's token if it is due. Raises as `Tokens.bearer`."""
        await self._tokens(clinic).bearer()

    async def renew(self, clinic: Clinic) -> TokenPair:
        """Trade the clinic's refresh token for a new pair at once; returns the stored pair.

        Raises InvalidInputError where there is nothing to renew, ProviderStoppedError with what
        to correct, and the temporary ProviderErrors.
        """
        stored = await self._store(clinic).load()
        if stored is None:
            raise InvalidInputError("Доступа к amoCRM ещё нет: подключите клинику с новым кодом")
        if stored.refresh is None:
            raise InvalidInputError(
                "У клиники долгосрочный токен, он не обновляется: создайте новый в amoCRM"
            )
        await self._tokens(clinic).rejected(stored.access)
        self.reopen(clinic.client_id)
        return await self._store(clinic).load() or stored

    def _tokens(self, clinic: Clinic) -> Tokens:
        parts = self._parts
        refresh: Any = partial(
            oauth.refresh, parts.http, self._base_url(clinic), self._app(clinic), clock=parts.clock
        )
        return Tokens(self._store(clinic), refresh, clock=parts.clock)

    def _client(self, clinic: Clinic) -> AmocrmClient:
        parts = self._parts
        return AmocrmClient(
            self._base_url(clinic),
            parts.http,
            self._tokens(clinic),
            partial(parts.limiter.wait, f"amocrm:{clinic.subdomain}"),
            batch_size=parts.batch_size,
            clock=parts.clock,
        )

    def _store(self, clinic: Clinic) -> ClinicTokenStore:
        parts = self._parts
        return ClinicTokenStore(
            clinic.client_id, parts.documents, parts.cipher, parts.hold, parts.clock
        )

    def _app(self, clinic: Clinic) -> OAuthApp:
        secret = self._parts.cipher.decrypt(clinic.client_secret)
        redirect = clinic.redirect_url or self._parts.default_redirect_url
        return OAuthApp(clinic.client_id, secret, redirect)

    def _base_url(self, clinic: Clinic) -> str:
        if not clinic.subdomain:
            raise InvalidInputError(
                f"У клиники «{clinic.name}» не задан поддомен amoCRM: добавьте его"
            )
        return self._parts.base_url_template.format(subdomain=clinic.subdomain)
