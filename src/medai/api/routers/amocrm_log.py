"""Bodies and answers of the CRM event routes (contract 1.5)."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from medai.api.routers.amocrm_answers import ClientId, Day, Success
from medai.clinics.models import Clinic
from medai.crm.event_log import EventLead, Period
from medai.crm.log_statistics import CHAT_EVENTS
from medai.crm.ports import CallNote
from medai.crm.reading import CALL_EVENTS, LoggedEvent
from medai.kit.days import day_window, parse_day, parse_range, range_window, zone
from medai.kit.text import clean

_MESSAGE = "message"


class EventType(StrEnum):
    """Which events are asked for."""

    OUTGOING_CALL = "outgoing_call"
    INCOMING_CALL = "incoming_call"
    INCOMING_CHAT_MESSAGE = "incoming_chat_message"
    ALL = "all"

    @property
    def types(self) -> tuple[str, ...]:
        """The CRM's types; none means all."""
        return () if self is EventType.ALL else (self.value,)


class LogOrder(BaseModel):
    """What all event routes take. A missing date leaves its side open."""

    client_id: ClientId
    start_date: Day | None = None
    end_date: Day | None = None

    def period(self, clinic: Clinic) -> Period:
        """The days on the clinic's clock. Raises InvalidInputError."""
        tz = zone(clinic.timezone)
        if self.start_date and self.end_date:
            window = range_window(parse_range(self.start_date, self.end_date), tz)
            return Period(window.start, window.end)
        first = day_window(parse_day(self.start_date), tz).start if self.start_date else None
        last = day_window(parse_day(self.end_date), tz).end if self.end_date else None
        return Period(first, last)


class EventsOrder(LogOrder):
    """Body of POST admin/amocrm/events."""

    event_type: EventType = EventType.ALL
    limit: int = Field(50, ge=1, le=250)


class StatisticsOrder(LogOrder):
    """Body of POST admin/amocrm/events/stats and admin/amocrm/all-calls.

    A page is one request to the CRM, 100 events.
    """

    include_details: bool = False
    max_pages: int = Field(10, ge=1, le=50)


class CallInfo(BaseModel):
    """What the call's note says. The log itself holds no more than the note's number."""

    duration: int = Field(description="секунды")
    duration_formatted: str = Field(examples=["3:00"])
    phone: str = Field(examples=["+7 900 000-00-01"])
    link: str | None = Field(examples=["https://pbx.example/records/1.mp3"])
    status: int | None = Field(description="то же, что call_status")
    call_result: str
    call_status: int | None = Field(description="число amoCRM: 4 - разговор состоялся")


class MessageInfo(BaseModel):
    """What the log says of a chat message: its number. The rest is kept for old clients."""

    message: dict[str, Any] | None = Field(examples=[{"id": "7f3a"}])
    sender: None = None
    receiver: None = None


class ShownEvent(BaseModel):
    """One event. `created_date` is local to the clinic; `call_info` stands at calls,
    `message_info` at chat messages."""

    id: str = Field(examples=["01hzx3k9c2v7m4q8w5t1r6y0ab"])
    type: str = Field(examples=["incoming_call"])
    entity_id: int
    entity_type: str = Field(examples=["lead"])
    created_at: int
    created_date: str = Field(examples=["19.11.2026 12:45:55"])
    value_after: Any = None
    value_before: Any = None
    call_info: CallInfo | None = None
    message_info: MessageInfo | None = None


class Events(BaseModel):
    """Events newest first. `_links` and `_page` are of the last page read from the CRM."""

    total: int
    events: list[ShownEvent]
    links: dict[str, Any] = Field(serialization_alias="_links")
    page: int = Field(serialization_alias="_page")


class EventsAnswer(Success):
    """Answer of POST admin/amocrm/events."""

    data: Events


class RawEvents(BaseModel):
    """Call events as the CRM sends them, each with `lead_id`, `lead_name` and `has_lead`."""

    total: int
    enriched: int
    not_enriched: int
    event_types: dict[str, int]
    has_more: bool = Field(description="есть ещё события: увеличьте max_pages или сузьте даты")
    events: list[dict[str, Any]]


class RawEventsAnswer(Success):
    """Answer of POST admin/amocrm/all-calls."""

    data: RawEvents


def event_shown(event: LoggedEvent, note: CallNote | None, tz: ZoneInfo) -> ShownEvent:
    """An event with what its note says, if it is a call."""
    return ShownEvent(
        id=event.id,
        type=event.type,
        entity_id=event.entity_id,
        entity_type=event.entity_type,
        created_at=int(event.at.timestamp()),
        created_date=local(event.at, tz),
        value_after=event.as_sent.get("value_after"),
        value_before=event.as_sent.get("value_before"),
        call_info=call_info(note) if note and event.type in CALL_EVENTS else None,
        message_info=_message(event) if event.type in CHAT_EVENTS else None,
    )


def call_info(note: CallNote) -> CallInfo:
    """What a note says of its call."""
    seconds = note.duration_seconds
    return CallInfo(
        duration=seconds,
        duration_formatted=f"{seconds // 60}:{seconds % 60:02d}",
        phone=clean(note.phone),
        link=clean(note.link) if note.link else None,
        status=note.status,
        call_result=clean(note.result),
        call_status=note.status,
    )


def with_lead(event: LoggedEvent, leads: Mapping[str, EventLead]) -> dict[str, Any]:
    """The CRM's own event with its lead."""
    lead = leads.get(event.id)
    return {
        **event.as_sent,
        "lead_id": lead.id if lead else None,
        "lead_name": lead.name if lead else None,
        "has_lead": lead is not None,
    }


def local(moment: datetime, tz: ZoneInfo) -> str:
    """A moment on the clinic's clock."""
    return f"{moment.astimezone(tz):%d.%m.%Y %H:%M:%S}"


def _message(event: LoggedEvent) -> MessageInfo:
    after = event.as_sent.get("value_after")
    first = after[0] if isinstance(after, list) and after else after
    message = first.get(_MESSAGE) if isinstance(first, dict) else None
    return MessageInfo(message=message if isinstance(message, dict) else None)
