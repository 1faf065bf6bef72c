"""From CRM facts to a call, purely (contract 4.3-4.5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from medai.calls.models import UNDEFINED_SOURCE, UNKNOWN_ADMINISTRATOR, Call, SkipReason, Stage
from medai.calls.skips import skip_reason
from medai.calls.speed import processing_speed_minutes
from medai.clinics.models import Clinic
from medai.crm.ports import CallEvent, CallNote, CardFacts, LeadFacts
from medai.kit.days import business_day
from medai.kit.ids import call_id
from medai.kit.text import clean, shortened

_ADMINISTRATOR_FIELD = "администратор"
_SOURCE_FIELD = "источник трафика"
_SPEED_FIELDS = ("скорость обработки", "скорость обработки заявки")
_UNNAMED_CONTACT = "Без имени"
_LONGEST_NAME = 300


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known around the calls of one batch."""

    leads: Mapping[int, LeadFacts]
    contacts: Mapping[int, CardFacts]
    companies: Mapping[int, CardFacts]
    user_names: Mapping[int, str]


NOTHING_AROUND = Surroundings({}, {}, {}, {})


def build_call(
    clinic: Clinic,
    note: CallNote,
    event: CallEvent | None,
    around: Surroundings,
    *,
    tz: ZoneInfo,
    now: datetime,
) -> Call:
    """A fresh call with everything the CRM says about it; nothing of our own processing."""
    link = clean(note.link) if note.link else None
    reason = skip_reason(duration_seconds=note.duration_seconds, recording_url=link)
    # Cards of skipped calls are not asked for; one that is here by chance must not tell on them,
    # or a call would look different in another batch.
    around = around if reason is None else NOTHING_AROUND
    lead = lead_of(note, around)
    contact = _contact_of(note, lead, around)
    named = _field(lead, _ADMINISTRATOR_FIELD) or _name(note.responsible_name)
    speed = _field(lead, *_SPEED_FIELDS) or "0 мин"
    return Call(
        id=call_id(clinic.client_id, note.note_id),
        client_id=clinic.client_id,
        subdomain=clinic.subdomain,
        note_id=note.note_id,
        event_id=event.event_id if event else None,
        uniq=clean(note.uniq) if note.uniq else None,
        collection=note.collection,
        entity_id=note.entity_id,
        lead_id=lead.id if lead else None,
        lead_name=_name(lead.name) if lead else "",
        contact_id=contact.id if contact else None,
        contact_name=(_name(contact.name) or _UNNAMED_CONTACT) if contact else "",
        responsible_user_id=note.responsible_user_id,
        crm_administrator=named,
        administrator=named or _responsible(note, lead, around) or UNKNOWN_ADMINISTRATOR,
        source=_field(lead, _SOURCE_FIELD) or UNDEFINED_SOURCE,
        processing_speed_label=speed,
        processing_speed_minutes=processing_speed_minutes(speed),
        direction=note.direction,
        duration_seconds=note.duration_seconds,
        phone=clean(note.phone)[:40],
        recording_url=link,
        started_at=note.started_at,
        business_day=business_day(note.started_at, tz),
        stage=_first_stage(reason, link),
        skip_reason=reason,
        stored_at=now,
        updated_at=now,
    )


def missing_note_call(clinic: Clinic, event: CallEvent, *, tz: ZoneInfo, now: datetime) -> Call:
    """The trace of a call whose note cannot be read (yet): kept, so that no call is lost."""
    return Call(
        id=call_id(clinic.client_id, event.note_id),
        client_id=clinic.client_id,
        subdomain=clinic.subdomain,
        note_id=event.note_id,
        event_id=event.event_id,
        collection=event.collection,
        entity_id=event.entity_id,
        direction=event.direction,
        started_at=event.at,
        business_day=business_day(event.at, tz),
        stage=Stage.SKIPPED,
        skip_reason=SkipReason.NOTE_MISSING,
        stored_at=now,
        updated_at=now,
    )


def lead_of(note: CallNote, around: Surroundings) -> LeadFacts | None:
    """The lead of a call: the card itself, or the newest lead of the contact or company."""
    if note.collection == "leads":
        return around.leads.get(note.entity_id)
    holders = around.contacts if note.collection == "contacts" else around.companies
    card = holders.get(note.entity_id)
    known = [around.leads[i] for i in (card.lead_ids if card else ()) if i in around.leads]
    return max(known, key=_newest, default=None)


def _newest(lead: LeadFacts) -> tuple[datetime, datetime, int]:
    return (lead.updated_at, lead.created_at, lead.id)


def _contact_of(note: CallNote, lead: LeadFacts | None, around: Surroundings) -> CardFacts | None:
    if note.collection == "contacts":
        return around.contacts.get(note.entity_id)
    ids = lead.contact_ids if lead else ()
    if note.collection == "companies" and not ids:
        company = around.companies.get(note.entity_id)
        ids = company.contact_ids if company else ()
    return next((around.contacts[i] for i in ids if i in around.contacts), None)


def _responsible(note: CallNote, lead: LeadFacts | None, around: Surroundings) -> str:
    """Who took the call, else who is responsible for the lead, by CRM account.

    Clinics that attribute by schedule share accounts: for them this name proves nothing.
    """
    for user_id in (note.responsible_user_id, lead.responsible_user_id if lead else None):
        if user_id is not None and user_id in around.user_names:
            return _name(around.user_names[user_id])
    return ""


def _field(lead: LeadFacts | None, *names: str) -> str:
    if lead is None:
        return ""
    return next((_name(lead.texts[name]) for name in names if lead.texts.get(name)), "")


def _name(text: str) -> str:
    return shortened(" ".join(clean(text).split()), _LONGEST_NAME)


def _first_stage(reason: SkipReason | None, link: str | None) -> Stage:
    if reason is not None:
        return Stage.SKIPPED
    return Stage.RECORDED if link else Stage.DISCOVERED
