"""Bulk syncs that answer with their outcome (contract 1.1).

The work is queued and carried out by workers; the answer waits for it. A client that hangs up
loses nothing, and one that asks again joins the run that is under way.
"""

from time import monotonic
from typing import Annotated

from fastapi import APIRouter, Query, Request

from medai.api.dependencies import App, Visitor, Who
from medai.api.errors import problems
from medai.api.routers import bulk_answers as answers
from medai.api.routers.bulk_answers import BulkDay, BulkRange, KnownDay, PlainDay
from medai.bootstrap import Application
from medai.errors import InvalidInputError

router = APIRouter(tags=["calls-parallel-bulk"])

ClientId = Annotated[
    str | None,
    Query(max_length=100, description="без него: клиника ключа, иначе с новейшим токеном amoCRM"),
]
_FORMS = "ДД.ММ.ГГГГ, ДД-ММ-ГГГГ, ГГГГ-ММ-ДД или ГГГГ.ММ.ДД"
Day = Annotated[
    str | None, Query(max_length=32, description=f"{_FORMS}; без даты — сегодня в клинике")
]
Date = Annotated[str, Query(max_length=32, description=_FORMS)]
Concurrency = Annotated[
    int, Query(ge=1, le=100, description="принимается; темп задают пределы amoCRM")
]


@router.post(
    "/calls-parallel-bulk/sync-by-date",
    summary="Sync a day, and wait",
    responses=problems(400, 404),
)
async def sync_day(
    request: Request,
    app: App,
    who: Who,
    date: Day = None,
    client_id: ClientId = None,
    concurrency: Concurrency = 5,
) -> BulkDay | KnownDay:
    """The day's calls from the CRM.

    A day that has stored calls answers at once in the legacy form without `success`; its calls are
    brought up to date in the background while they may still change.
    """
    started = monotonic()
    clinic = await app.bulk.clinic(who.clinic(client_id))
    day = date or app.bulk.today(clinic)
    if await app.bulk.is_stored(clinic, day):
        run_id = await app.bulk.refresh(clinic, day)
        return answers.known_day(day, run_id, monotonic() - started)
    waited = await app.bulk.read_day(clinic, day, request.is_disconnected)
    return answers.bulk_day(day, waited, concurrency)


@router.post(
    "/calls-parallel/sync-by-date",
    summary="Sync a day again, and wait",
    responses=problems(400, 404),
)
async def sync_day_again(
    request: Request,
    app: App,
    who: Who,
    date: Day = None,
    client_id: ClientId = None,
    concurrency: Concurrency = 5,
) -> BulkDay:
    """As the bulk one, also when the day is stored: stored calls are brought up to date."""
    clinic = await app.bulk.clinic(who.clinic(client_id))
    day = date or app.bulk.today(clinic)
    waited = await app.bulk.read_day(clinic, day, request.is_disconnected)
    return answers.bulk_day(day, waited, concurrency)


@router.post(
    "/calls/sync-by-date", summary="Sync a day again, and wait", responses=problems(400, 404)
)
async def sync_day_plainly(
    request: Request, app: App, who: Who, date: Day = None, client_id: ClientId = None
) -> PlainDay:
    """As `calls-parallel/sync-by-date`, with fewer counters in the answer."""
    clinic = await app.bulk.clinic(who.clinic(client_id))
    day = date or app.bulk.today(clinic)
    return answers.plain_day(day, await app.bulk.read_day(clinic, day, request.is_disconnected))


@router.post(
    "/calls-parallel-bulk/sync-by-date-range",
    summary="Sync a range of days, and wait",
    responses=problems(400, 404),
)
async def sync_range(
    request: Request,
    app: App,
    who: Who,
    start_date_str: Date,
    end_date_str: Date,
    client_id: ClientId = None,
    concurrency: Concurrency = 5,
    all_clinics: Annotated[bool, Query(description="все клиники ключа, по очереди")] = False,
) -> BulkRange:
    """Day by day, of one clinic, or with `all_clinics` of all that the key opens.

    Clinics take turns after each day, so a long range keeps nobody waiting. Days whose calls are
    stored and which ended over three days ago are `skipped`.
    """
    del concurrency
    started = monotonic()
    client_ids = await _clinics(app, who, client_id, all_clinics=all_clinics)
    waited = await app.bulk.read_range(
        client_ids, start_date_str, end_date_str, request.is_disconnected
    )
    one = None if all_clinics else client_ids[0]
    dates = answers.DateRange(start_date=start_date_str, end_date=end_date_str)
    return answers.bulk_range(one, dates, waited, monotonic() - started)


async def _clinics(
    app: Application, who: Visitor, client_id: str | None, *, all_clinics: bool
) -> list[str]:
    if not all_clinics:
        return [(await app.bulk.clinic(who.clinic(client_id))).client_id]
    if client_id:
        raise InvalidInputError("Указаны и client_id, и all_clinics: оставьте что-то одно")
    return [one for one in await app.bulk.with_crm() if who.grant.allows(one)]
