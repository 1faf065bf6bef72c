"""Every setting stands on the page of settings, with its default, and every command on its page."""

import re
from typing import Any

import typer
from pydantic import SecretStr
from tests.documents.reading import text

from medai.cli.app import app
from medai.settings import Settings

_ROW = re.compile(r"^\| `([A-Z][A-Z0-9_]+)` \| (?:`([^`|]*)`)? *\| .{4,} \|$", re.MULTILINE)


def _default(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_every_setting_is_documented_with_its_default() -> None:
    page = text("docs/configuration.md").partition("\n## Read elsewhere")[0]
    told = {name: default or "" for name, default in _ROW.findall(page)}
    expected = {n.upper(): _default(f.default) for n, f in Settings.model_fields.items()}
    assert told == expected


def _names(command: Any, path: tuple[str, ...] = ()) -> set[str]:
    if not hasattr(command, "commands"):
        return {" ".join(path)}
    return {n for name, sub in command.commands.items() for n in _names(sub, (*path, name))}


def test_every_command_is_documented() -> None:
    told = set(re.findall(r"`medai ([a-z][a-z -]*)`", text("docs/commands.md")))
    assert _names(typer.main.get_command(app)) <= told
