"""Bodies and answers of the CRM pass-through routes (contract 1.5)."""

from typing import Any

from pydantic import BaseModel, Field

from medai.api.routers.amocrm_answers import (
    ClientId,
    CrmId,
    Day,
    Success,
)

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
