"""What people ask about single cards of their CRM: leads, contacts, calls (contract 1.5)."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from medai.calls.skips import is_note_link
from medai.clinics.models import Clinic
from medai.crm.ports import CallNote, Cards
from medai.crm.reading import CardNotes, ContactCard, CrmReader, LeadCard
from medai.errors import NotFoundError
from medai.kit.days import day_window, zone

_ANYWHERE: tuple[Cards, ...] = ("contacts", "leads", "companies")
"""Where a call note may be; most are on contacts and leads (amocrm.md 5)."""
MOST_LEADS = 50
"""Leads of one contact whose calls are looked at, the newest ids first."""


class Readers(Protocol):
    """Opens the CRM account of a clinic for reading."""

    async def reader(self, clinic: Clinic) -> CrmReader:
        """The account. Raises InvalidInputError for a clinic without one."""


@dataclass(frozen=True, slots=True)
class ContactCall:
    """A call of a contact; `lead` is set when its note is on one of the contact's leads."""

    note: CallNote
    lead: LeadCard | None = None


class CardLookups:
    """Reads one clinic's cards. Methods raise the ProviderError family, and NotFoundError for a
    card that the CRM does not have."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    async def leads_of_day(self, clinic: Clinic, day: date) -> list[LeadCard]:
        """Leads created on the clinic's business day, newest first."""
        crm = await self._readers.reader(clinic)
        return await crm.leads_created(day_window(day, zone(clinic.timezone)))

    async def lead(self, clinic: Clinic, lead_id: int) -> LeadCard:
        """The lead with its contacts."""
        return await _lead(await self._readers.reader(clinic), lead_id)

    async def contact_of_lead(self, clinic: Clinic, lead_id: int) -> ContactCard:
        """The lead's main contact. Raises NotFoundError when it has none."""
        crm = await self._readers.reader(clinic)
        lead = await _lead(crm, lead_id)
        found = await crm.contacts(lead.contact_ids[:1]) if lead.contact_ids else {}
        if not found:
            raise NotFoundError(f"К сделке {lead_id} не привязан ни один контакт")
        return next(iter(found.values()))

    async def notes_of_lead(self, clinic: Clinic, lead_id: int) -> CardNotes:
        """The lead's calls and the types of its notes."""
        crm = await self._readers.reader(clinic)
        await _lead(crm, lead_id)
        return await crm.card_notes("leads", [lead_id])

    async def calls_of_contact(self, clinic: Clinic, contact_id: int) -> list[ContactCall]:
        """Calls with a recording on the contact's card, else those on its leads; newest first.

        Raises NotFoundError when there are none.
        """
        crm = await self._readers.reader(clinic)
        contact = await _contact(crm, contact_id)
        own = await crm.card_notes("contacts", [contact_id])
        calls = [ContactCall(note) for note in own.calls if has_recording(note)]
        if not calls:
            calls = await _calls_of_leads(crm, contact)
        if not calls:
            raise NotFoundError(f"У контакта {contact_id} нет записей звонков")
        return calls

    async def call_note(
        self, clinic: Clinic, note_id: int, *, lead_id: int | None = None
    ) -> CallNote:
        """The call note, on this lead if one is named. Raises NotFoundError."""
        crm = await self._readers.reader(clinic)
        for collection in _ANYWHERE if lead_id is None else ("leads",):
            note = (await crm.call_notes(collection, [note_id])).get(note_id)
            if note is not None and lead_id in (None, note.entity_id):
                return note
        raise unknown_note(note_id)


def has_recording(note: CallNote) -> bool:
    """Whether the PBX has written a link that leads to a recording, not to the CRM's own note."""
    return bool(note.link) and not is_note_link(note.link or "")


def unknown_note(note_id: int) -> NotFoundError:
    """What is said of a note that the CRM does not have, or not on the named card."""
    return NotFoundError(f"Звонок с примечанием {note_id} не найден: проверьте номер примечания")


async def _calls_of_leads(crm: CrmReader, contact: ContactCard) -> list[ContactCall]:
    lead_ids = sorted(contact.lead_ids, reverse=True)[:MOST_LEADS]
    if not lead_ids:
        return []
    notes = await crm.card_notes("leads", lead_ids)
    leads = await crm.leads(lead_ids)
    return [ContactCall(n, leads.get(n.entity_id)) for n in notes.calls if has_recording(n)]


async def _lead(crm: CrmReader, lead_id: int) -> LeadCard:
    found = await crm.leads([lead_id])
    if lead_id not in found:
        raise NotFoundError(f"Сделка {lead_id} не найдена: проверьте номер сделки в amoCRM")
    return found[lead_id]


async def _contact(crm: CrmReader, contact_id: int) -> ContactCard:
    found = await crm.contacts([contact_id])
    if contact_id not in found:
        raise NotFoundError(f"Контакт {contact_id} не найден: проверьте номер контакта в amoCRM")
    return found[contact_id]
