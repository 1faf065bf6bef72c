"""Leads and calls of a CRM in the shapes of `amocrm_cards` (contract 1.5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from medai.api.routers.amocrm_answers import UNKNOWN, clock_text, note_type, note_url
from medai.api.routers.amocrm_cards import ContactCallShown, LeadCall, ShownLead
from medai.crm.lookups import ContactCall
from medai.crm.ports import CallNote
from medai.crm.reading import LeadCard
from medai.kit.text import clean


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
