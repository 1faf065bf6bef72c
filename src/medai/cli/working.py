"""Doing queued work in this process until nothing more can be done now."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from time import monotonic

from medai.bootstrap import Application
from medai.errors import StoreError
from medai.kit.days import DayRange
from medai.processing.requests import Progress
from medai.worker.runner import run_workers

PATIENCE = timedelta(seconds=30)
"""A call that is tried again within this time is waited for; a later one is left to the service."""

STANDSTILL = timedelta(minutes=2)
"""Twice as long as a lost job needs to be found by the sweep."""

_SHORTEST_POLL_SECONDS = 0.2
_POLL_SHARE = 5
"""Looking takes at most a sixth of the time, however many calls there are."""

Report = Callable[[Progress], None]


async def work_until_settled(
    application: Application, client_ids: Sequence[str], days: DayRange, report: Report
) -> Progress:
    """Run workers until every call of the days is done, failed or waits for long.

    A store that is away for a while is waited for. Raises StoreError when it stays away, and when
    calls are due but nothing happens to them: a store takes no results.
    """
    progress = await _total(application, client_ids, days)
    if _nothing_soon(progress, application):
        report(progress)
        return progress
    workers = asyncio.create_task(run_workers(application))
    try:
        return await _watch(application, client_ids, days, report, workers)
    finally:
        workers.cancel()
        with suppress(asyncio.CancelledError):
            await workers


async def _watch(
    application: Application,
    client_ids: Sequence[str],
    days: DayRange,
    report: Report,
    workers: "asyncio.Task[None]",
) -> Progress:
    last_move, seen = monotonic(), Progress()
    while True:
        started = monotonic()
        stands_still = started - last_move > STANDSTILL.total_seconds()
        try:
            progress = await _total(application, client_ids, days)
            moves = progress != seen or await application.jobs.busy(application.clock())
        except StoreError:
            # The workers wait for a database that is away, and so does whoever watches them.
            if stands_still:
                raise
        else:
            report(progress)
            if _nothing_soon(progress, application):
                return progress
            if moves:
                last_move, seen = started, progress
            elif stands_still:
                raise StoreError(
                    "Звонки ждут, но их результаты не сохраняются: проверьте базы данных и место"
                    " на диске"
                )
        pause = max(_SHORTEST_POLL_SECONDS, (monotonic() - started) * _POLL_SHARE)
        done, _ = await asyncio.wait({workers}, timeout=pause)
        if done:
            await workers  # workers only end by failing: let it be seen
            return seen


async def _total(application: Application, client_ids: Sequence[str], days: DayRange) -> Progress:
    total = Progress()
    for client_id in client_ids:
        total.join(await application.requests.progress(client_id, days))
    return total


def _nothing_soon(progress: Progress, application: Application) -> bool:
    if progress.working:
        return False
    soon = application.clock() + PATIENCE
    return progress.earliest is None or progress.earliest > soon
