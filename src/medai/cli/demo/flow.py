"""The demo from start to end: sandbox up, one day through, numbers compared."""

import asyncio
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import monotonic
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from medai.bootstrap import Application, open_application
from medai.cli.demo import summary
from medai.cli.demo.comparison import Comparison, compare
from medai.cli.demo.scenario import Outcome, run_day
from medai.cli.demo.tables import table_sums
from medai.cli.running import console, read_settings, run_terminable
from medai.cli.sandbox_world import audio_cache, maker
from medai.cli.service import serve_forever
from medai.infra.logging import configure_logging
from medai.kit.days import DayRange
from medai.processing.requests import Progress as CallProgress
from medai.sandbox.audio.store import AudioStore
from medai.sandbox.client import Control
from medai.sandbox.server import SandboxServer
from medai.sandbox.world.generate import generate
from medai.settings import Settings


@dataclass(frozen=True, slots=True)
class Options:
    """What the command was asked for. `day` None: yesterday."""

    out: Path
    seed: int
    day: date
    voices: bool
    mongodb_uri: str
    serve: bool


def run(options: Options) -> list[str]:
    """Do it; returns every difference from the truth in words. Raises the MedaiError family."""
    started = monotonic()
    options.out.mkdir(parents=True, exist_ok=True)
    # Every run starts from nothing; only generated audio is kept between runs.
    shutil.rmtree(options.out / "data", ignore_errors=True)
    world = generate(seed=options.seed, day=options.day)
    store = AudioStore(world, audio_cache(), maker(options.voices))
    with _bars() as bars:
        _prepare_audio(store, bars)
        with SandboxServer(world, store) as sandbox, Control(sandbox.url) as control:
            return run_terminable(lambda: _flow(options, sandbox.url, control, bars, started))


def _prepare_audio(store: AudioStore, bars: Progress) -> None:
    task = bars.add_task("записи разговоров", total=None)
    asyncio.run(store.prepare(lambda ready, total: bars.update(task, completed=ready, total=total)))


async def _flow(
    options: Options, url: str, control: Control, bars: Progress, started: float
) -> list[str]:
    settings = demo_settings(options.out / "data", url, control.keys(), options.mongodb_uri)
    days = DayRange(options.day, options.day)
    with (options.out / "demo.log").open("w", encoding="utf-8") as log:
        configure_logging(level="INFO", json_lines=True, stream=log)
        async with open_application(settings) as application:
            clinics = await asyncio.to_thread(control.clinics)
            outcome = await run_day(application, clinics, options.day, _reporter(bars))
            bars.stop()
            truth = await asyncio.to_thread(control.truth)
            bill = await asyncio.to_thread(control.bill)
            comparison = await compare(application, outcome, truth, bill, days)
            await _present(options, application, outcome, comparison, bill, started)
            if options.serve:
                await serve_forever(application)
    return comparison.differences


async def _present(
    options: Options,
    application: Application,
    outcome: Outcome,
    comparison: Comparison,
    bill: dict[str, Any],
    started: float,
) -> None:
    console.print(summary.table(comparison))
    reports = await _copied_reports(options.out, application, outcome)
    content = summary.summary(
        outcome,
        comparison,
        bill,
        await table_sums(application.pool),
        reports,
        monotonic() - started,
    )
    for difference in comparison.differences:
        console.print(f"[red]{difference}[/]")
    for message, count in (outcome.progress.waiting + outcome.progress.failed).items():
        console.print(f"[red]{count} — {message}[/]")
    console.print(
        f"запросов к CRM: {bill['crm_requests']}, секунд: {content['seconds']:.0f}; отчёты:"
    )
    for path in reports:
        console.print(f"  {path}", soft_wrap=True)
    console.print(str(summary.write(options.out, content)), soft_wrap=True)


async def _copied_reports(out: Path, application: Application, outcome: Outcome) -> list[Path]:
    copied = []
    for report in outcome.reports:
        for name in (report.pdf, report.excel):
            target = out / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(await application.files.read(name))
            copied.append(target)
    return copied


def demo_settings(data_dir: Path, url: str, keys: dict[str, str], mongodb_uri: str) -> Settings:
    """Settings for the sandbox, whatever the environment says: the demo touches no real account."""
    host = url.removeprefix("http://")
    return read_settings(
        _env_file=None,
        environment="development",
        log_level="ERROR",  # of workers beside the API; ours go to demo.log
        medai_data_dir=data_dir,
        medai_files_url="",
        medai_schedules=False,
        api_key="",
        medai_secret="",
        postgres_dsn="",
        postgres_host="",
        mongodb_uri=mongodb_uri,
        mongodb_name="medai_demo",
        amocrm_base_url_template=f"{url}/amocrm/{{subdomain}}",
        elevenlabs_base_url=f"{url}/elevenlabs",
        openai_base_url=f"{url}/openai/v1",
        telegram_api_base_url=f"{url}/telegram",
        recordings_allow_hosts=host,
        recordings_proxy_hosts="",
        proxy_string="",
        proxy_enabled=False,
        evenlabs=keys["elevenlabs"],
        openai=keys["openai"],
        bot_token="",
    )


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description:<18}"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


def _reporter(bars: Progress) -> Any:
    words = {"transcribed": "расшифровка", "noted": "заметки в CRM", "analysed": "оценка"}
    tasks = {name: bars.add_task(text, total=None) for name, text in words.items()}

    def report(progress: CallProgress) -> None:
        for name, task in tasks.items():
            bars.update(task, completed=getattr(progress, name), total=progress.recorded)

    return report
