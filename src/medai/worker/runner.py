"""Workers of all queues in one process, each queue with its own number of jobs at once."""

import asyncio
from collections.abc import Sequence

import procrastinate
from procrastinate.worker import Worker

from medai.bootstrap import Application
from medai.worker.recovery import keep_recovering
from medai.worker.tasks import register

_POLL_SECONDS = 2.0
"""New jobs are announced at once; this is how late a repetition may start."""
_GRACE_SECONDS = 30.0
_ASK_AGAIN_SECONDS = 0.2


async def run_workers(application: Application, queues: tuple[str, ...] | None = None) -> None:
    """Work on the queues (all by default) until cancelled; jobs under way are finished first.

    Jobs that a dead process left under way, of any queue, come back. Raises what ended a worker.
    """
    engine = register(application)
    capacity = _capacity(application)
    workers = [_worker(engine, queue, capacity[queue]) for queue in queues or tuple(capacity)]
    tasks = [asyncio.create_task(_run(worker)) for worker in workers]
    recovering = asyncio.create_task(keep_recovering(engine, application.pool))
    try:
        done, _ = await asyncio.wait([*tasks, recovering], return_when=asyncio.FIRST_COMPLETED)
    finally:
        recovering.cancel()
        await _stopped(workers, tasks)
    for task in done:
        task.result()


async def _stopped(workers: Sequence[Worker], tasks: Sequence["asyncio.Task[None]"]) -> None:
    """Ask until all have ended: a worker that is just starting forgets what it was asked before.

    Workers are not cancelled, because a cancellation that meets their start is swallowed.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for worker in workers:
            worker.stop()  # type: ignore[no-untyped-call]  # not annotated there
        _, pending = await asyncio.wait(pending, timeout=_ASK_AGAIN_SECONDS)


async def _run(worker: Worker) -> None:
    await worker.run()  # type: ignore[no-untyped-call]  # not annotated there


def _worker(engine: procrastinate.App, queue: str, concurrency: int) -> Worker:
    return Worker(
        engine,
        queues=[queue],
        name=f"medai-{queue}",
        concurrency=concurrency,
        fetch_job_polling_interval=_POLL_SECONDS,
        shutdown_graceful_timeout=_GRACE_SECONDS,
        install_signal_handlers=False,
        delete_jobs="successful",
    )


def _capacity(application: Application) -> dict[str, int]:
    """Jobs at once by queue. The capped stages follow the providers' limits (settings)."""
    settings = application.settings
    return {
        "sync": 2,
        "recordings": settings.recordings_concurrency,
        "transcription": settings.stt_concurrency,
        "notes": 4,
        "analysis": settings.llm_concurrency,
        "export": 1,
    }
