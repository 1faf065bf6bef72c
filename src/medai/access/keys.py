"""Making keys and telling what a key allows."""

import secrets
from collections.abc import AsyncIterator, Sequence

from medai.access.models import OWNER, ApiKey, Grant
from medai.clinics.repository import ClinicRepository
from medai.errors import InvalidInputError, NotFoundError
from medai.infra.crypto import digest_of, is_same
from medai.infra.documents import Change, Collection, Documents
from medai.kit.clock import Clock
from medai.kit.ids import random_id

API_KEYS = Collection("api_keys", unique=(("digest",),))

_PREFIX = "medai_"
"""Secret scanners and people recognise a leaked key by it."""
_KEY_BYTES = 32
LONGEST_NAME = 80


class ApiKeys:
    """The owner's key and named ones. Named keys are stored hashed: 256 random bits need no salt.

    Raises StoreError.
    """

    def __init__(
        self, documents: Documents, clinics: ClinicRepository, owner_key: str, clock: Clock
    ) -> None:
        self._documents = documents
        self._clinics = clinics
        self._owner_key = owner_key
        self._clock = clock

    async def grant(self, text: str) -> Grant | None:
        """What the key allows at this moment; None for an unknown or revoked one."""
        if is_same(text, self._owner_key):
            return OWNER
        if not text.startswith(_PREFIX):
            return None
        found = self._documents.find(API_KEYS, {"digest": digest_of(text)}, sort=(), limit=1)
        async for document in found:
            key = ApiKey(id=document.pop("_id"), **document)
            return None if key.revoked_at else _granted(key)
        return None

    async def create(
        self, name: str, client_ids: Sequence[str] | None, *, may_write: bool, by: str
    ) -> tuple[ApiKey, str]:
        """A new key and its text, which is shown once and never again.

        Raises InvalidInputError for an empty or long name or no clinic at all, NotFoundError for
        an unknown clinic.
        """
        name = name.strip()
        if not 0 < len(name) <= LONGEST_NAME:
            raise InvalidInputError(f"Назовите ключ: от 1 до {LONGEST_NAME} знаков")
        if client_ids is not None and not client_ids:
            raise InvalidInputError("Назовите клиники ключа или сделайте ключ всех клиник")
        for client_id in client_ids or ():
            await self._clinics.require(client_id)
        text = _PREFIX + secrets.token_urlsafe(_KEY_BYTES)
        key = ApiKey(
            id=random_id(),
            name=name,
            digest=digest_of(text),
            client_ids=None if client_ids is None else tuple(sorted(set(client_ids))),
            may_write=may_write,
            created_at=self._clock(),
            created_by=by,
        )
        fields = key.model_dump()
        await self._documents.insert(API_KEYS, {"_id": fields.pop("id"), **fields})
        return key, text

    async def revoke(self, key_id: str) -> None:
        """The key opens nothing from now on; twice is once. Raises NotFoundError."""
        change = Change(set={"revoked_at": self._clock()})
        unrevoked = {"revoked_at": None}
        if await self._documents.update(API_KEYS, key_id, change, where=unrevoked):
            return
        if await self._documents.get(API_KEYS, key_id) is None:
            raise NotFoundError("Ключ не найден: проверьте номер в medai keys list")

    async def all(self) -> AsyncIterator[ApiKey]:
        """Every key, revoked ones too, oldest first."""
        async for document in self._documents.find(API_KEYS, {}, sort=(("created_at", 1),)):
            yield ApiKey(id=document.pop("_id"), **document)


def _granted(key: ApiKey) -> Grant:
    client_ids = None if key.client_ids is None else frozenset(key.client_ids)
    return Grant(key.id, key.name, client_ids, key.may_write)
