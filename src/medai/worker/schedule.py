"""The schedule's tick as a background task of every worker process; any number may tick."""

import asyncio

import structlog

from medai.bootstrap import Application
from medai.errors import StoreError

_log = structlog.get_logger(__name__)

TICK_SECONDS = 30.0


async def keep_schedule(application: Application) -> None:
    """Begin what is due and move runs on, every half minute; endless."""
    while True:
        try:
            await application.schedule.tick()
        except StoreError:
            _log.warning("schedule postponed: a store is away")
        await asyncio.sleep(TICK_SECONDS)
