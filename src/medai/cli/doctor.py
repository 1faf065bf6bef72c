"""`medai doctor`: what is wrong with this installation and what to do about it."""

import json
import os
import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from medai.cli.running import EXIT_CODES, console, guarded, read_settings, run_terminable
from medai.doctor.examination import examine
from medai.doctor.findings import Finding, Level, problem
from medai.errors import SettingsError
from medai.infra.logging import configure_from
from medai.settings import Settings

_ASSIGNED = re.compile(r"^\s*(?:export\s+)?(\w+)\s*=", re.MULTILINE)
_WORDS = {Level.OK: "норма   ", Level.WARNING: "внимание", Level.PROBLEM: "проблема"}
_COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.PROBLEM: "red"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="вывод для программ")] = False,
    no_providers: Annotated[
        bool, typer.Option("--no-providers", help="не обращаться к внешним сервисам")
    ] = False,
) -> None:
    """Проверить установку: настройки, хранилища, очереди, ключи, часы; ничего не оплачивается."""
    found = guarded(lambda: run_terminable(lambda: _examined(as_json, ask=not no_providers)))
    if as_json:
        _print_json(found)
    if any(one.level is Level.PROBLEM for one in found):
        sys.exit(EXIT_CODES["unhealthy"])


async def _examined(as_json: bool, *, ask: bool) -> list[Finding]:
    try:
        settings = read_settings()
    except SettingsError as error:
        return _told([problem("settings", error.message)], as_json)
    configure_from(settings, level="ERROR")
    found: list[Finding] = []
    async for finding in examine(settings, ask_providers=ask, names=_names(settings)):
        found += _told([finding], as_json)
    return found


def _names(settings: Settings) -> set[str]:
    """Variables of the environment and of `.env`: names only, a value stays where it is."""
    file = settings.model_config.get("env_file")
    text = Path(file).read_text("utf-8") if isinstance(file, str) and Path(file).exists() else ""
    return {*os.environ, *_ASSIGNED.findall(text)}


def _told(found: list[Finding], as_json: bool) -> list[Finding]:
    """Each line as soon as it is known."""
    for one in found if not as_json else ():
        console.print(_WORDS[one.level], style=_COLOURS[one.level], end="  ")
        console.print(one.message, markup=False, soft_wrap=True)
    return found


def _print_json(found: list[Finding]) -> None:
    healthy = all(one.level is not Level.PROBLEM for one in found)
    report = {"healthy": healthy, "findings": [asdict(one) for one in found]}
    print(json.dumps(report, ensure_ascii=False, indent=2))
