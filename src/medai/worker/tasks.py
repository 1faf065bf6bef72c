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

    @engine.task(name=Task.TOKEN.value, queue=Task.TOKEN.queue)
    async def keep_token(client_id: str) -> None:
        await application.token_keeper.keep(client_id)

    @engine.task(name=Task.RETENTION.value, queue=Task.RETENTION.queue)
    async def forget_old() -> None:
        await application.retention.forget()

    @engine.task(name=Task.EXPORT.value, queue=Task.EXPORT.queue)
    async def export_clinic(client_id: str) -> None:
        await application.exports.export(client_id or None)

    @engine.task(name=Task.REPORT.value, queue=Task.REPORT.queue)
    async def make_report(client_id: str, first: str, last: str) -> None:
        await application.reports.generate(client_id or None, parse_range(first, last))

    _register_runs(application)
    for step, task in STEP_TASKS.items():
        _register_step(application, step, task)
    return engine


def _register_step(application: Application, step: Step, task: Task) -> None:
    @application.engine.task(name=task.value, queue=task.queue)
    async def run_step(call_id: str, priority: int = 0) -> None:
        await application.pipeline.run(step, call_id, priority=priority)


def _register_runs(application: Application) -> None:
    @application.engine.task(name=Task.SYNC.value, queue=Task.SYNC.queue)
    async def sync_clinic(run_id: str) -> None:
        await application.phases.sync(run_id)

    @application.engine.task(name=Task.LINKS.value, queue=Task.LINKS.queue)
    async def repair_links(run_id: str) -> None:
        await application.phases.links(run_id)

    @application.engine.task(name=Task.CHECK.value, queue=Task.CHECK.queue)
    async def check_crm(run_id: str) -> None:
        await application.phases.check(run_id)

    @application.engine.task(name=Task.EXPORT_RUN.value, queue=Task.EXPORT_RUN.queue)
    async def export_run(run_id: str) -> None:
        await application.phases.export(run_id)

    @application.engine.task(name=Task.CONCLUDE.value, queue=Task.CONCLUDE.queue)
    async def draw_conclusions(run_id: str) -> None:
        await application.phases.conclude(run_id)

    @application.engine.task(name=Task.ATTRIBUTE.value, queue=Task.ATTRIBUTE.queue)
    async def attribute_again(run_id: str) -> None:
        await application.phases.attribute(run_id)
