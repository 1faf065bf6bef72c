"""CRM tokens at rest: encrypted, one document per clinic, guarded by a fleet-wide lock."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Protocol

from medai.infra.documents import Collection, Documents
from medai.integrations.amocrm.token_pair import TokenPair
from medai.kit.clock import Clock

TOKENS = Collection("tokens", unique=(("client_id",),))


async def newest_token_of(documents: Documents) -> str | None:
    """The client_id whose token was stored last, None without any. Raises StoreError."""
    found = documents.find(TOKENS, {}, sort=(("updated_at", -1),), limit=1)
    async with aclosing(found):
        async for document in found:
            return str(document["client_id"])
    return None


class Cipher(Protocol):
    """Encrypts short texts."""

    def encrypt(self, text: str) -> str:
        """The text, unreadable without the installation's secret."""

    def decrypt(self, text: str) -> str:
        """The text again. Raises SettingsError when the secret is another one."""


class ClinicTokenStore:
    """The token pair of one clinic (keeps integrations.amocrm.tokens.TokenStore)."""

    def __init__(
        self,
        client_id: str,
        documents: Documents,
        cipher: Cipher,
        hold: Callable[[str], AbstractAsyncContextManager[None]],
        clock: Clock,
    ) -> None:
        self._client_id = client_id
        self._documents = documents
        self._cipher = cipher
        self._hold = hold
        self._clock = clock

    async def load(self) -> TokenPair | None:
        """The stored pair, or None before the first authorisation."""
        found = await self._documents.get(TOKENS, self._client_id)
        if found is None:
            return None
        return TokenPair(
            access=self._cipher.decrypt(found["access_token"]),
            refresh=self._decrypted(found.get("refresh_token")),
            expires_at=found["expires_at"],
            issued_at=found.get("issued_at"),
        )

    async def save(self, pair: TokenPair) -> None:
        """Replace the pair; durable when this returns."""
        document = {
            "_id": self._client_id,
            "client_id": self._client_id,
            "access_token": self._cipher.encrypt(pair.access),
            "refresh_token": self._cipher.encrypt(pair.refresh) if pair.refresh else None,
            "expires_at": pair.expires_at,
            "issued_at": pair.issued_at,
            "updated_at": self._clock(),
        }
        await self._documents.put_many(TOKENS, [document])

    def lock(self) -> AbstractAsyncContextManager[None]:
        """Exclusive among all processes of the installation."""
        return self._hold(f"crm-token:{self._client_id}")

    def _decrypted(self, text: str | None) -> str | None:
        return self._cipher.decrypt(text) if text else None
