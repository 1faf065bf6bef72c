"""The schedule's tick as a background task of every worker process; one of them ticks at a time."""

import asyncio
from datetime import timedelta

import structlog

from medai.bootstrap import Application
from medai.errors import StoreError

_log = structlog.get_logger(__name__)

TICK_SECONDS = 30.0
_SHORTEST_PAUSE = timedelta(seconds=25)


async def keep_schedule(application: Application) -> None:
    """Begin what is due and move runs on, every half minute; endless.

    Where schedules are off nothing begins, but what people asked for goes on.
    """
    while True:
        try:
            if not application.settings.medai_schedules:
                await application.run_book.advance()
            elif await application.schedule.is_my_turn(_SHORTEST_PAUSE):
                await application.schedule.tick()
        except StoreError:
            _log.warning("schedule postponed: a store is away")
        await asyncio.sleep(TICK_SECONDS)
