"""Leads by the moment of creation, whether or not the account may filter (amocrm.md 2.4)."""

from contextlib import aclosing
from datetime import datetime

import httpx2

from medai.errors import ProviderAnswerError, ProviderRejectedError

from .failures import PROVIDER
from .models.cards import Lead
from .paging import rows_in_pages
from .transport import Params, Transport
from .windows import window

PAGE = 250
MOST_NEWER = 10_000
"""Leads newer than the window: without the paid filter the list is read from today backwards."""


async def created_leads(transport: Transport, start: datetime, end: datetime) -> list[Lead]:
    """Leads created at `start <= t < end`, newest first.

    One list serves both kinds of accounts: it is asked for filtered and newest first, so an
    ignored filter means more pages and nothing else. Raises ProviderAnswerError when the days lie
    too far back for an account that does not filter.
    """
    newest_first = ("order[created_at]", "desc")
    try:
        return await _read(transport, [*window("created_at", start, end), newest_first], start, end)
    except ProviderRejectedError as error:
        if error.status != httpx2.codes.BAD_REQUEST:
            raise
        return await _read(transport, [newest_first], start, end)


async def _read(transport: Transport, params: Params, start: datetime, end: datetime) -> list[Lead]:
    found: list[Lead] = []
    newer = 0
    async with aclosing(rows_in_pages(transport, "leads", "leads", params, limit=PAGE)) as rows:
        async for row in rows:
            lead = Lead.parse(row)
            if lead is None or lead.created_at is None:
                continue
            if lead.created_at < start:
                break
            if lead.created_at < end:
                found.append(lead)
            elif (newer := newer + 1) > MOST_NEWER:
                raise ProviderAnswerError(
                    PROVIDER, "amoCRM не фильтрует сделки этого аккаунта: выберите дату поближе"
                )
    return found
