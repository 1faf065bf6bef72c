"""What surrounds every job: its ids stand in each line that is logged while it runs."""

from collections.abc import Awaitable, Callable
from typing import Any

from procrastinate import JobContext
from procrastinate.worker import Worker

from medai.infra.logging import context

_IDS = ("call_id", "client_id", "run_id")
"""Arguments of jobs that are worth a place in log lines."""


async def with_job_context(
    run: Callable[[], Awaitable[Any]], job: JobContext, _worker: Worker
) -> Any:
    """A task middleware of the job engine: binds ids, runs the job."""
    args = job.job.task_kwargs
    ids = {name: args[name] for name in _IDS if name in args}
    with context(job_id=job.job.id, task=job.job.task_name, **ids):
        return await run()
