"""Workers of all queues in one process, each queue with its own number of jobs at once."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any

import procrastinate
import structlog
from procrastinate import exceptions as engine_errors
from procrastinate.worker import Worker

from medai.bootstrap import Application
from medai.processing.ports import Queue
from medai.worker.door import with_job_context
from medai.worker.lifeline import Lifeline
from medai.worker.recovery import HEARTBEAT_SECONDS, Recovery
from medai.worker.schedule import keep_schedule
from medai.worker.sweeping import keep_sweeping
from medai.worker.tasks import register

_log = structlog.get_logger(__name__)

_POLL_SECONDS = 2.0
"""New jobs are announced at once; this is how late a repetition may start."""
_GRACE_SECONDS = 30.0
_ASK_AGAIN_SECONDS = 0.2
_START_AGAIN_SECONDS = 1.0
_FORGOTTEN_SECONDS = 3600.0
"""The engine forgets workers that were silent for so long. Not sooner: `recovery.py` decides about
their jobs, and it has to know whose they are."""

Queues = Mapping[Queue, int | None]
"""Queue -> jobs at once; None means as many as the settings say."""


async def run_workers(application: Application, queues: Queues | None = None) -> None:
    """Work on the queues (all by default) until cancelled; jobs under way are finished first.

    Jobs that a dead process left under way, of any queue, come back. A database that is away for
    a while is waited for. Raises what ended a worker otherwise.
    """
    workers = _workers(application, queues or dict.fromkeys(Queue))
    stopping = asyncio.Event()
    tasks = [asyncio.create_task(_run(worker, stopping)) for worker in workers]
    background = [asyncio.create_task(work) for work in _background(application, workers)]
    try:
        done, _ = await asyncio.wait([*tasks, *background], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.set()
        await _stopped(workers, tasks)
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
    for task in done:
        task.result()


def _background(
    application: Application, workers: Sequence[Worker]
) -> list[Coroutine[Any, Any, None]]:
    """What every worker process does besides its jobs."""
    return [
        Lifeline(application.pool, workers).keep(),
        Recovery(application.engine, application.pool, workers).keep_looking(),
        keep_sweeping(application),
        keep_schedule(application),
    ]


async def _stopped(workers: Sequence[Worker], tasks: Sequence["asyncio.Task[None]"]) -> None:
    """Ask until all have ended: a worker that is just starting forgets what it was asked before.

    Workers are not cancelled, because a cancellation that meets their start is swallowed.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for worker in workers:
            worker.stop()  # type: ignore[no-untyped-call]  # not annotated there
        _, pending = await asyncio.wait(pending, timeout=_ASK_AGAIN_SECONDS)


async def _run(worker: Worker, stopping: asyncio.Event) -> None:
    """Run the worker until `stopping`.

    The engine's worker ends with the first request that PostgreSQL does not answer, in peace when
    it was a heartbeat. It is run again: the API and the other queues must not end with it.
    """
    while not stopping.is_set():
        try:
            await worker.run()  # type: ignore[no-untyped-call]  # not annotated there
        except engine_errors.ConnectorException as error:
            _log.warning("worker lost its database", worker=worker.worker_name, error=str(error))
        if not stopping.is_set():
            _log.warning("worker starts again", worker=worker.worker_name)
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), _START_AGAIN_SECONDS)


def _workers(application: Application, queues: Queues) -> list[Worker]:
    engine = register(application)
    capacity = _capacity(application)
    return [_worker(engine, queue, count or capacity[queue]) for queue, count in queues.items()]


def _worker(engine: procrastinate.App, queue: str, concurrency: int) -> Worker:
    return Worker(
        engine,
        queues=[queue],
        name=f"medai-{queue}",
        concurrency=concurrency,
        fetch_job_polling_interval=_POLL_SECONDS,
        shutdown_graceful_timeout=_GRACE_SECONDS,
        install_signal_handlers=False,
        update_heartbeat_interval=HEARTBEAT_SECONDS,
        stalled_worker_timeout=_FORGOTTEN_SECONDS,
        delete_jobs="successful",
        task_middleware=[with_job_context],
    )


def _capacity(application: Application) -> dict[Queue, int]:
    """Jobs at once by queue. The capped stages follow the providers' limits (settings)."""
    settings = application.settings
    return {
        Queue.SYNC: 2,
        Queue.RECORDINGS: settings.recordings_concurrency,
        Queue.TRANSCRIPTION: settings.stt_concurrency,
        Queue.NOTES: 4,
        Queue.ANALYSIS: settings.llm_concurrency,
        Queue.EXPORT: 1,
        Queue.REPORTS: 1,
    }
