"""The job door: parse ids, call one service, nothing else."""

import procrastinate

from medai.bootstrap import Application
from medai.calls.models import Step
from medai.kit.days import parse_range
from medai.processing.ports import Task
from medai.processing.requests import STEP_TASKS


def register(application: Application) -> procrastinate.App:
    """Teach the job engine every task, once; returns the engine, ready to run workers."""
    engine = application.engine
    if Task.SYNC.value in engine.tasks:
        return engine  # workers of this application ran before

    @engine.task(name=Task.SYNC.value, queue=Task.SYNC.queue)
    async def sync_clinic(client_id: str, first: str, last: str, run_id: str) -> None:
        await application.syncs.run(client_id, parse_range(first, last), run_id=run_id)

    @engine.task(name=Task.EXPORT.value, queue=Task.EXPORT.queue)
    async def export_clinic(client_id: str) -> None:
        await application.exports.export(client_id)

    @engine.task(name=Task.REPORT.value, queue=Task.REPORT.queue)
    async def make_report(client_id: str, first: str, last: str) -> None:
        await application.reports.generate(client_id or None, parse_range(first, last))

    for step, task in STEP_TASKS.items():
        _register_step(application, step, task)
    return engine


def _register_step(application: Application, step: Step, task: Task) -> None:
    @application.engine.task(name=task.value, queue=task.queue)
    async def run_step(call_id: str) -> None:
        await application.pipeline.run(step, call_id)
