"""The sweep as a background task of every worker process; one of them sweeps at a time."""

import asyncio
from time import monotonic

import structlog

from medai.bootstrap import Application
from medai.errors import StoreError
from medai.infra.postgres import advisory_lock

_log = structlog.get_logger(__name__)

_PAUSE_SECONDS = 60.0
_PAUSE_SHARE = 30
"""Sweeping takes at most a thirtieth of the time, however many calls are unfinished."""


async def keep_sweeping(application: Application) -> None:
    """Sweep at once and then every minute or more rarely; endless.

    What stands still is tried at once too: the start of a service often follows a mended setting.
    """
    pause = 0.0
    began = False
    while True:
        await asyncio.sleep(pause)
        started = monotonic()
        try:
            if not began:
                await application.stops.try_soon()
                began = True
            await sweep(application)
        except StoreError:
            _log.warning("sweep postponed: a store is away")
        pause = max(_PAUSE_SECONDS, (monotonic() - started) * _PAUSE_SHARE)


async def sweep(application: Application) -> None:
    """One sweep: work that nobody does, lines and minutes of the dead. Raises StoreError."""
    async with advisory_lock(application.pool, "sweep"):
        await application.sweeps.try_stopped()
        await application.sweeps.queue_due()
        await application.ledger.expire(application.clock())
        await application.abandoned_minutes.free()
