"""Workers of all queues in one process, each queue with its own number of jobs at once."""

import asyncio

from medai.bootstrap import Application
from medai.worker.tasks import register

_POLL_SECONDS = 2.0
"""New jobs are announced at once; this is how late a repetition may start."""
_GRACE_SECONDS = 30.0


async def run_workers(application: Application, queues: tuple[str, ...] | None = None) -> None:
    """Work on the queues (all by default) until cancelled; jobs under way are finished first."""
    engine = register(application)
    capacity = _capacity(application)
    async with asyncio.TaskGroup() as group:
        for queue in queues or tuple(capacity):
            group.create_task(
                engine.run_worker_async(
                    queues=[queue],
                    name=f"medai-{queue}",
                    concurrency=capacity[queue],
                    fetch_job_polling_interval=_POLL_SECONDS,
                    shutdown_graceful_timeout=_GRACE_SECONDS,
                    install_signal_handlers=False,
                    delete_jobs="successful",
                )
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
