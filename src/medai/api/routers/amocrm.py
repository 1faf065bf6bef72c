"""Looking cards up in a clinic's amoCRM (contract 1.5, pass-through)."""

from collections.abc import Sequence

from fastapi import APIRouter

from medai.api.dependencies import App, Who
from medai.api.errors import problems
from medai.api.routers.amocrm_answers import Refusal, answered
from medai.api.routers.amocrm_cards import (
    CallLink,
    CallLinkAnswer,
    CardAnswer,
    ContactCalls,
    ContactCallsAnswer,
    ContactOrder,
    LeadCalls,
    LeadCallsAnswer,
    LeadOrder,
    LeadsAnswer,
    LeadsOfDay,
    LeadsOrder,
)
from medai.api.routers.amocrm_shown import (
    View,
    contact_call,
    lead_call,
    lead_shown,
    link_of,
    newest_url,
)
from medai.bootstrap import Application
from medai.clinics.models import Clinic
from medai.crm.lookups import ContactCall, has_recording
from medai.crm.ports import CallNote
from medai.crm.reading import CardNotes
from medai.errors import NotFoundError
from medai.kit.days import parse_day, zone

router = APIRouter(prefix="/amocrm", tags=["amocrm"], responses=problems(400, 404))


@router.post("/leads/by-date", summary="Leads created on a day")
async def leads_by_date(order: LeadsOrder, app: App, who: Who) -> LeadsAnswer | Refusal:
    """The day is the clinic's business day; a day without leads is a success with none."""
    who.require(order.client_id)
    clinic, day = await app.clinics.require(order.client_id), parse_day(order.date)
    tz = zone(clinic.timezone)
    return await answered(
        app.card_lookups.leads_of_day(clinic, day),
        lambda leads: LeadsAnswer(
            message=f"Найдено сделок за {day:%d.%m.%Y}: {len(leads)}",
            data=LeadsOfDay(
                date=order.date,
                total_leads=len(leads),
                leads=[lead_shown(lead, tz) for lead in leads],
            ),
        ),
    )


@router.post("/leads/get", summary="One lead")
async def lead(order: LeadOrder, app: App, who: Who) -> CardAnswer | Refusal:
    """The lead as amoCRM sends it, with the ids of its contacts."""
    who.require(order.client_id)
    clinic = await app.clinics.require(order.client_id)
    return await answered(
        app.card_lookups.lead(clinic, order.lead_id),
        lambda found: CardAnswer(message=f"Сделка {found.id} получена", data=dict(found.as_sent)),
    )


@router.post("/lead/contact", summary="The main contact of a lead")
async def contact_of_lead(order: LeadOrder, app: App, who: Who) -> CardAnswer | Refusal:
    """The contact as amoCRM sends it, with the ids of its leads."""
    who.require(order.client_id)
    clinic = await app.clinics.require(order.client_id)
    return await answered(
        app.card_lookups.contact_of_lead(clinic, order.lead_id),
        lambda found: CardAnswer(
            message=f"Контакт сделки {order.lead_id} получен", data=dict(found.as_sent)
        ),
    )


@router.post("/contact/call-link", summary="The newest recording of a contact")
async def call_link(order: ContactOrder, app: App, who: Who) -> CallLinkAnswer | Refusal:
    """The telephony's link and ours. Calls on the contact's leads count when it has none itself."""
    who.require(order.client_id)
    clinic, contact_id = await app.clinics.require(order.client_id), order.contact_id
    return await answered(
        _of_contact(app, clinic, contact_id),
        lambda found: CallLinkAnswer(
            message=f"Ссылка на запись контакта {contact_id} получена",
            data=CallLink(
                contact_id=contact_id,
                call_link=link_of(found[0][0].note),
                download_url=newest_url(contact_id, order.client_id),
                signed_url=found[1].links.get(found[0][0].note.note_id),
            ),
        ),
        otherwise={"contact_id": contact_id, "has_call_link": False},
    )


@router.post("/lead/calls", summary="Calls of a lead")
async def lead_calls(order: LeadOrder, app: App, who: Who) -> LeadCallsAnswer | Refusal:
    """Calls with a recording whose note is on the lead's own card."""
    who.require(order.client_id)
    clinic = await app.clinics.require(order.client_id)
    return await answered(
        _of_lead(app, clinic, order.lead_id),
        lambda found: _lead_calls(order.lead_id, *found),
        otherwise={"lead_id": order.lead_id, "has_call_link": False},
    )


@router.post("/contact/calls", summary="Calls of a contact")
async def contact_calls(order: ContactOrder, app: App, who: Who) -> ContactCallsAnswer | Refusal:
    """Calls with a recording on the contact's card, else those on its leads."""
    who.require(order.client_id)
    clinic, contact_id = await app.clinics.require(order.client_id), order.contact_id
    return await answered(
        _of_contact(app, clinic, contact_id),
        lambda found: ContactCallsAnswer(
            message=f"Звонков контакта {contact_id}: {len(found[0])}",
            data=ContactCalls(
                contact_id=contact_id,
                total_calls=len(found[0]),
                calls=[contact_call(call, found[1]) for call in found[0]],
            ),
        ),
        otherwise={
            "contact_id": contact_id,
            "message": "Запросите звонки самой сделки: amocrm/lead/calls",
        },
    )


async def _of_contact(
    app: Application, clinic: Clinic, contact_id: int
) -> tuple[list[ContactCall], View]:
    calls = await app.card_lookups.calls_of_contact(clinic, contact_id)
    return calls, await _view(app, clinic, [call.note for call in calls])


async def _of_lead(app: Application, clinic: Clinic, lead_id: int) -> tuple[CardNotes, View]:
    notes = await app.card_lookups.notes_of_lead(clinic, lead_id)
    return notes, await _view(app, clinic, notes.calls)


async def _view(app: Application, clinic: Clinic, notes: Sequence[CallNote]) -> View:
    links = await app.note_recordings.links(clinic, notes)
    return View(clinic.client_id, zone(clinic.timezone), links)


def _lead_calls(lead_id: int, notes: CardNotes, view: View) -> LeadCallsAnswer | Refusal:
    calls = [lead_call(note, view) for note in notes.calls if has_recording(note)]
    if not calls:
        return Refusal(
            message=f"У сделки {lead_id} нет записей звонков",
            data={"lead_id": lead_id, "has_call_link": False, "note_types": notes.types},
            code=NotFoundError.code,
        )
    data = LeadCalls(lead_id=lead_id, calls=calls, total_calls=len(calls), note_types=notes.types)
    return LeadCallsAnswer(message=f"Звонков сделки {lead_id}: {len(calls)}", data=data)
