"""Bodies and answers of the CRM pass-through routes (contract 1.5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from medai.api.routers.amocrm_answers import (
    UNKNOWN,
    ClientId,
    CrmId,
    Day,
    Success,
    clock_text,
    note_type,
    note_url,
)
from medai.crm.lookups import ContactCall
from medai.crm.ports import CallNote
from medai.crm.reading import LeadCard
from medai.kit.text import clean

SIGNED = "https://api.example.ru/api/calls/download/5f0c…?expires=1829000000&signature=9b1e…"
SIGNED_MEANS = "наша копия записи, открывается без ключа; null, пока её нет"


class LeadsOrder(BaseModel):
    """Body of POST amocrm/leads/by-date."""

    client_id: ClientId
    date: Day


class LeadOrder(BaseModel):
    """Body of the routes about one lead."""

    client_id: ClientId
    lead_id: CrmId


class ContactOrder(BaseModel):
    """Body of the routes about one contact."""

    client_id: ClientId
    contact_id: CrmId


class ShownLead(BaseModel):
    """A lead of the list. `created_date` is local to the clinic."""

    id: int = Field(examples=[28504853])
    name: str = Field(examples=["Имплантация"])
    created_at: int | None = Field(examples=[1795075200])
    created_date: str = Field(examples=["19.11.2026 12:00:00"])
    pipeline_id: int | None
    status_id: int | None
    responsible_user_id: int | None
    price: int


class LeadsOfDay(BaseModel):
    """Leads created on the clinic's business day, newest first."""

    date: str = Field(examples=["19.11.2026"])
    total_leads: int
    leads: list[ShownLead]


class LeadsAnswer(Success):
    """Answer of POST amocrm/leads/by-date."""

    data: LeadsOfDay


class CardAnswer(Success):
    """A card exactly as the CRM sends it (its own JSON, amoCRM API v4)."""

    data: dict[str, Any] = Field(examples=[{"id": 28504853, "name": "Имплантация"}])


class CallLink(BaseModel):
    """The newest recording of a contact. `call_link` is the telephony's own address."""

    contact_id: int = Field(examples=[34913261])
    call_link: str = Field(examples=["https://pbx.example/records/1.mp3"])
    download_url: str = Field(
        examples=["/api/amocrm/contact/34913261/download-call?client_id=0b1c…"],
        description="адрес на этом сервере; нужен заголовок X-API-Key",
    )
    has_call_link: bool = True
    signed_url: str | None = Field(examples=[SIGNED], description=SIGNED_MEANS)


class CallLinkAnswer(Success):
    """Answer of POST amocrm/contact/call-link."""

    data: CallLink


class LeadCall(BaseModel):
    """A call on a lead's card. `created_date` is local to the clinic."""

    note_id: int = Field(examples=[146355909])
    call_link: str = Field(examples=["https://pbx.example/records/1.mp3"])
    download_url: str
    created_at: int = Field(examples=[1795075200])
    created_date: str = Field(examples=["2026-11-19 12:00:00"])
    direction: str = Field(examples=["Входящий"])
    duration: int = Field(description="секунды")
    duration_formatted: str = Field(examples=["1:05"])
    phone: str = Field(examples=["+7 900 000-00-01"])
    note_type: str = Field(examples=["call_in"])
    signed_url: str | None = Field(examples=[SIGNED], description=SIGNED_MEANS)


class LeadCalls(BaseModel):
    """Calls of a lead that have a recording, newest first."""

    lead_id: int
    has_call_link: bool = True
    calls: list[LeadCall]
    total_calls: int
    note_types: dict[str, int] = Field(
        examples=[{"call_in": 2, "common": 1}], description="сколько примечаний какого типа"
    )


class LeadCallsAnswer(Success):
    """Answer of POST amocrm/lead/calls."""

    data: LeadCalls


class ContactCallShown(LeadCall):
    """A call of a contact; `lead_id` is set when its note is on one of the contact's leads."""

    id: int = Field(description="то же, что note_id")
    result: str = Field(examples=["Неизвестно"])
    has_recording: bool
    lead_id: int | None
    lead_name: str | None


class ContactCalls(BaseModel):
    """Calls of a contact that have a recording, newest first."""

    contact_id: int
    total_calls: int
    calls: list[ContactCallShown]


class ContactCallsAnswer(Success):
    """Answer of POST amocrm/contact/calls."""

    data: ContactCalls


@dataclass(frozen=True, slots=True)
class View:
    """For whom calls are shown: the clinic's clock and `links` to our copies by note id."""

    client_id: str
    tz: ZoneInfo
    links: Mapping[int, str]


def lead_shown(lead: LeadCard, tz: ZoneInfo) -> ShownLead:
    """A lead as lists show it."""
    at = lead.created_at
    return ShownLead(
        id=lead.id,
        name=lead.name or "Без названия",
        created_at=int(at.timestamp()) if at else None,
        created_date=f"{at.astimezone(tz):%d.%m.%Y %H:%M:%S}" if at else UNKNOWN,
        pipeline_id=lead.pipeline_id,
        status_id=lead.status_id,
        responsible_user_id=lead.responsible_user_id,
        price=lead.price,
    )


def lead_call(note: CallNote, view: View) -> LeadCall:
    """A call on a lead."""
    return LeadCall(**_call(note, view))


def contact_call(call: ContactCall, view: View) -> ContactCallShown:
    """A call of a contact."""
    return ContactCallShown(
        **_call(call.note, view),
        id=call.note.note_id,
        result=clean(call.note.result) or UNKNOWN,
        has_recording=bool(call.note.link),
        lead_id=call.lead.id if call.lead else None,
        lead_name=call.lead.name if call.lead else None,
    )


def link_of(note: CallNote) -> str:
    """The telephony's own address of the recording, harmless to show."""
    return clean(note.link or "")


def newest_url(contact_id: int, client_id: str) -> str:
    """Our address of the contact's newest recording."""
    return f"/api/amocrm/contact/{contact_id}/download-call?client_id={quote(client_id, safe='')}"


def _call(note: CallNote, view: View) -> dict[str, Any]:
    return {
        "note_id": note.note_id,
        "call_link": link_of(note),
        "download_url": note_url(note, view.client_id),
        "created_at": int(note.started_at.timestamp()),
        "created_date": _local(note.started_at, view.tz),
        "direction": note.direction.label,
        "duration": note.duration_seconds,
        "duration_formatted": clock_text(note.duration_seconds),
        "phone": clean(note.phone) or UNKNOWN,
        "note_type": note_type(note),
        "signed_url": view.links.get(note.note_id),
    }


def _local(moment: datetime, tz: ZoneInfo) -> str:
    return f"{moment.astimezone(tz):%Y-%m-%d %H:%M:%S}"
