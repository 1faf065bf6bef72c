"""Old cron tables keep working: the scripts by their paths, with their arguments and exit codes."""

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from tests.fixtures.application import settings_for
from tests.fixtures.command_line import Finished, command_line
from tests.fixtures.sandbox import RunningSandbox

from medai.bootstrap import open_application
from medai.cli.demo.scenario import connect

ROOT = Path(__file__).parents[2]
DAY = ("--date", "19.11.2026")
_OWN = ("MEDAI", "AMOCRM", "EVENLABS", "ELEVENLABS", "OPENAI", "POSTGRES", "MONGO", "PYTHONPATH")


class Scripts:
    """Runs scripts of a checkout of its own, into which nothing is installed."""

    def __init__(self, settings: dict[str, str], folder: Path) -> None:
        self._settings = settings
        self._folder = folder

    async def run(self, script: str, *words: str, **changes: str) -> Finished:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(_OWN)}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(self._folder / script), *words),
            cwd="/",  # cron starts elsewhere
            env={**inherited, **self._settings, **changes},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return Finished(process.returncode or 0, out.decode(), err.decode())


@pytest.fixture
async def scripts(sandbox: RunningSandbox, prepared_dsn: str, tmp_path: Path) -> Scripts:
    """One connected clinic; a key of the model that is refused, so that nothing takes long."""
    for folder in ("scripts", "datalens"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "src").symlink_to(ROOT / "src")
    line = command_line(sandbox.url, prepared_dsn, tmp_path)
    settings = settings_for(
        sandbox.url, prepared_dsn, tmp_path / "data", medai_secret="", api_key=""
    )
    async with open_application(settings.model_copy(update={"environment": "development"})) as app:
        await connect(app, sandbox.control.clinics()[0])
    return Scripts({**line.settings, "EVENLABS": "wrong"}, tmp_path)


async def test_the_daily_job_reports_and_tells_the_truth(scripts: Scripts, tmp_path: Path) -> None:
    ended = await scripts.run("scripts/auto_sync_all_clinics.py", *DAY)
    assert ended.code == 1, ended.err
    (path,) = (tmp_path / "logs").glob("report_*.json")
    report = json.loads(path.read_text(encoding="utf-8"))
    # The copy that GET admin/logs shows.
    assert (tmp_path / "data" / "logs" / path.name).read_bytes() == path.read_bytes()
    assert (report["total_clinics"], report["clinics_with_errors"]) == (1, 1)
    assert "EVENLABS" in report["clinics"][0]["errors"][0]
    empty = await scripts.run("scripts/auto_sync_all_clinics.py", "--date", "2026-01-05")
    assert (empty.code, empty.err) == (0, "")
    mistaken = await scripts.run("scripts/auto_sync_all_clinics.py", "--date", "завтра")
    assert mistaken.code == 2


async def test_the_other_scripts(scripts: Scripts, sandbox: RunningSandbox) -> None:
    client_id = sandbox.control.clinics()[0]["client_id"]
    daily, nobody, reset, admins, export, no_once = [
        await scripts.run(*words, **changes)
        for words, changes in (
            (("scripts/daily_sync.py",), {"CLIENT_ID": client_id}),
            (("scripts/daily_sync.py",), {}),
            (("scripts/reset_weekly_limits.py",), {}),
            (("scripts/recalculate_admins.py", "2026-11-19", "--dry-run"), {}),
            (("datalens/postgres_exporter.py", "--once"), {}),
            (("datalens/postgres_exporter.py",), {}),
        )
    ]
    assert (daily.code, daily.err) == (0, "")
    assert (nobody.code, "CLIENT_ID" in nobody.one_line()) == (4, True)
    assert "неделя 0 из 750 мин" in reset.out
    assert "администратор изменился: 0" in admins.out
    assert (export.code, export.out) == (0, "изменений нет\n")
    assert no_once.code == 0
    assert "Usage" in no_once.out
