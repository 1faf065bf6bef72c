"""What the CRM pass-through routes share: ids, the envelope, refusals (contract 0 and 1.5)."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import quote

from fastapi import Path, Query
from pydantic import BaseModel, Field

from medai.crm.ports import CallNote
from medai.errors import NotFoundError, ProviderError

_BEYOND = 2**63
Found = TypeVar("Found")
Shown = TypeVar("Shown")

CrmId = Annotated[int, Field(gt=0, lt=_BEYOND, examples=[28504853])]
"""An id of the CRM in a body."""
PathId = Annotated[int, Path(gt=0, lt=_BEYOND, description="номер в amoCRM")]
QueryId = Annotated[int | None, Query(gt=0, lt=_BEYOND, description="номер в amoCRM")]
ClientId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        description="client_id клиники",
        examples=["0b1c5a52-3f5e-4c2e-9c33-1f6d0e7b8a10"],
    ),
]
Day = Annotated[
    str,
    Field(max_length=40, description="ДД.ММ.ГГГГ или ГГГГ-ММ-ДД", examples=["19.11.2026"]),
]
UNKNOWN = "Неизвестно"
"""What old clients are shown for a missing phone or result."""


class Refusal(BaseModel):
    """Not found in the CRM, or the CRM refused. It comes with status 200: old clients look at
    `success` (contract 0). `code` is stable and for programs."""

    success: Literal[False] = False
    message: str = Field(examples=["Сделка 28504853 не найдена: проверьте номер сделки в amoCRM"])
    data: dict[str, Any] | None = Field(None, examples=[None])
    code: str = Field(examples=["not_found"])


class Success(BaseModel):
    """The envelope of an answer; `data` is the route's own."""

    success: Literal[True] = True
    message: str


async def answered(
    finding: Awaitable[Found],
    show: Callable[[Found], Shown],
    *,
    otherwise: dict[str, Any] | None = None,
) -> Shown | Refusal:
    """What was found, or the refusal with `otherwise` as its data."""
    try:
        found = await finding
    except (NotFoundError, ProviderError) as error:
        return Refusal(message=error.message, code=error.code, data=otherwise)
    return show(found)


def clock_text(seconds: int) -> str:
    """Minutes and seconds; empty for nothing, as old clients know it."""
    return f"{seconds // 60}:{seconds % 60:02d}" if seconds else ""


def note_type(note: CallNote) -> str:
    """The CRM's word for the note's type."""
    return {"inbound": "call_in", "outbound": "call_out"}.get(note.direction.value, "")


def note_url(note: CallNote, client_id: str) -> str:
    """Our address of the call's recording; it needs a key like any other."""
    query = f"client_id={quote(client_id, safe='')}"
    if note.collection == "leads":
        return f"/api/amocrm/lead/{note.entity_id}/note/{note.note_id}/download?{query}"
    return f"/api/amocrm/contact/call/{note.note_id}/download?{query}"
