"""Keys of the API and the log of who opened patients' words. For keys of all clinics."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from medai.access.audit import Access
from medai.access.keys import LONGEST_NAME
from medai.access.models import ApiKey
from medai.api.dependencies import App, Installation
from medai.api.errors import problems
from medai.api.routers.parameters import AnyClinicId

router = APIRouter(prefix="/admin", tags=["keys"])


class KeyOrder(BaseModel):
    """Body of POST admin/keys. `client_ids` null: all clinics, present and future."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=LONGEST_NAME, examples=["Дашборд клиники на Садовой"])
    client_ids: list[str] | None = Field(None, examples=[["0b1c5a52-3f5e-4c2e-9c33-1f6d0e7b8a10"]])
    may_write: bool = False


class ShownKey(BaseModel):
    """A key without its text."""

    id: str = Field(examples=["5f2b9c0d1e3a4b5c6d7e8f90"])
    name: str = Field(examples=["Дашборд клиники на Садовой"])
    client_ids: list[str] | None = Field(examples=[["0b1c5a52-3f5e-4c2e-9c33-1f6d0e7b8a10"]])
    may_write: bool
    created_at: datetime
    created_by: str = Field(examples=["владелец"])
    revoked_at: datetime | None


class CreatedKey(ShownKey):
    """The only answer that ever holds the key's text."""

    key: str = Field(examples=["medai_…"])


class KeyList(BaseModel):
    """All keys, revoked ones too."""

    keys: list[ShownKey]


class AccessList(BaseModel):
    """Who opened what, newest first."""

    entries: list[Access]


@router.get("/keys", summary="All keys")
async def keys(app: App, _: Installation) -> KeyList:
    """Oldest first, without their texts."""
    return KeyList(keys=[_shown(key) async for key in app.keys.all()])


@router.post("/keys", status_code=201, summary="Make a key", responses=problems(400, 404))
async def create(order: KeyOrder, app: App, who: Installation) -> CreatedKey:
    """The text is in this answer and nowhere else: hand it over at once."""
    name, client_ids = order.name, order.client_ids
    by = who.grant.name
    key, text = await app.keys.create(name, client_ids, may_write=order.may_write, by=by)
    return CreatedKey(key=text, **_shown(key).model_dump())


@router.delete("/keys/{key_id}", status_code=204, summary="Revoke a key", responses=problems(404))
async def revoke(key_id: str, app: App, _: Installation) -> None:
    """It opens nothing from now on. Revoking twice is no error."""
    await app.keys.revoke(key_id)


@router.get("/access-log", summary="Who opened transcripts, recordings and reports")
async def access_log(
    app: App,
    _: Installation,
    client_id: AnyClinicId = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="не больше стольких")] = 100,
) -> AccessList:
    """Newest first, of one clinic or of all."""
    return AccessList(entries=[one async for one in app.access_log.newest(client_id, limit)])


def _shown(key: ApiKey) -> ShownKey:
    return ShownKey.model_validate(key.model_dump(exclude={"digest"}))
