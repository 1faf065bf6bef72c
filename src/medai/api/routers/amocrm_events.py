"""The event log of a clinic's amoCRM, for finding calls that are missing (contract 1.5)."""

from time import monotonic

from fastapi import APIRouter

from medai.api.dependencies import App, Who
from medai.api.errors import problems
from medai.api.routers.amocrm_answers import Refusal, answered
from medai.api.routers.amocrm_log import (
    Events,
    EventsAnswer,
    EventsOrder,
    EventType,
    RawEvents,
    RawEventsAnswer,
    StatisticsOrder,
    event_shown,
    with_lead,
)
from medai.api.routers.amocrm_statistics import StatisticsAnswer, details, statistics_shown
from medai.bootstrap import Application
from medai.clinics.models import Clinic
from medai.crm.event_log import EventLead, LogExtract, Period
from medai.crm.log_statistics import count
from medai.crm.reading import CALL_EVENTS
from medai.kit.days import zone

router = APIRouter(prefix="/admin/amocrm", tags=["amocrm"], responses=problems(400, 404))


@router.post("/events", summary="The newest events of a clinic's CRM")
async def events(order: EventsOrder, app: App, who: Who) -> EventsAnswer | Refusal:
    """Newest first. What a call's note says stands in `call_info`."""
    who.require(order.client_id)
    clinic = await app.clinics.require(order.client_id)
    tz, kind = zone(clinic.timezone), order.event_type

    def shown(extract: LogExtract) -> EventsAnswer:
        found = [event_shown(e, extract.notes.get(e.note_id or 0), tz) for e in extract.events]
        of_kind = "" if kind is EventType.ALL else f" типа {kind.value}"
        data = Events(total=len(found), events=found, links=dict(extract.links), page=extract.pages)
        return EventsAnswer(message=f"Получено событий{of_kind}: {len(found)}", data=data)

    period = order.period(clinic)
    return await answered(app.event_log.newest(clinic, kind.types, period, order.limit), shown)


@router.post("/events/stats", summary="Counts over a clinic's CRM events")
async def statistics(order: StatisticsOrder, app: App, who: Who) -> StatisticsAnswer | Refusal:
    """Reads `max_pages` pages of 100 events at most; `has_more` tells that there are others."""
    who.require(order.client_id)
    clinic = await app.clinics.require(order.client_id)
    tz, period, started = zone(clinic.timezone), order.period(clinic), monotonic()

    def shown(extract: LogExtract) -> StatisticsAnswer:
        data = statistics_shown(count(extract.events, extract.notes), extract, period, tz)
        data.execution_info.max_pages = order.max_pages
        data.execution_info.execution_time_seconds = round(monotonic() - started, 3)
        if order.include_details:
            data.detailed_events = details(extract, tz)
        message = f"Событий: {data.total_events}, звонков: {data.call_stats.total_calls}"
        return StatisticsAnswer(message=message, data=data)

    reading = app.event_log.extract(clinic, (), period, order.max_pages, with_notes=True)
    return await answered(reading, shown)


@router.post("/all-calls", summary="Call events of a clinic's CRM with their leads")
async def all_calls(order: StatisticsOrder, app: App, who: Who) -> RawEventsAnswer | Refusal:
    """Events exactly as amoCRM sends them, newest first. `include_details` changes nothing."""
    who.require(order.client_id)
    clinic = await app.clinics.require(order.client_id)
    reading = _with_leads(app, clinic, order.period(clinic), order.max_pages)
    return await answered(reading, _raw)


async def _with_leads(
    app: Application, clinic: Clinic, period: Period, max_pages: int
) -> tuple[LogExtract, dict[str, EventLead]]:
    extract = await app.event_log.extract(clinic, CALL_EVENTS, period, max_pages, with_notes=False)
    return extract, await app.event_log.leads_of(clinic, extract.events)


def _raw(found: tuple[LogExtract, dict[str, EventLead]]) -> RawEventsAnswer:
    extract, leads = found
    shown = [with_lead(event, leads) for event in extract.events]
    enriched = sum(event["has_lead"] for event in shown)
    data = RawEvents(
        total=len(shown),
        enriched=enriched,
        not_enriched=len(shown) - enriched,
        event_types=dict(count(extract.events, {}).types),
        has_more=extract.has_more,
        events=shown,
    )
    return RawEventsAnswer(message=f"Звонков: {len(shown)}, со сделкой: {enriched}", data=data)
