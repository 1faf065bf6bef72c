"""Documents keep pace with the code: settings, links, commands, paths, both languages."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import SecretStr
from tests.fixtures import compose

from medai.api.routers import analysis, calls, events, ledger, metrics, reports, runs, status
from medai.cli.app import app
from medai.cli.running import EXIT_CODES
from medai.settings import Settings

ROOT = Path(__file__).parents[2]
READMES = ("README.md", "README.ru.md")
DOCUMENTS = sorted(
    str(path.relative_to(ROOT))
    for path in chain(ROOT.glob("*.md"), (ROOT / "docs").rglob("*.md"))
)  # fmt: skip
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_VARIABLE = re.compile(r"^#?([A-Z][A-Z0-9_]+)=(.*)$", re.MULTILINE)


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _phony() -> list[str]:
    """The targets that people name."""
    (names,) = re.findall(r"^\.PHONY: (.*)$", _text("Makefile"), re.MULTILINE)
    return str(names).split()


def _prose(name: str) -> str:
    return _BLOCK.sub("", _text(name))


def _shell_lines(name: str) -> Iterator[str]:
    """Commands of shell blocks, continued lines joined, and of inline code."""
    for language, block in _BLOCK.findall(_text(name)):
        if language == "sh":
            yield from block.replace("\\\n", " ").splitlines()
    yield from re.findall(r"`([^`\n]+)`", _prose(name))


def _commands(name: str, program: str) -> Iterator[list[str]]:
    """Arguments of every use of a program; a variable assignment may stand in front."""
    for line in _shell_lines(name):
        found = re.match(rf"(?:[A-Z_]+=\S+ )?(?:\.venv/bin/)?{program}(?: (.*))?$", line)
        if found:
            yield shlex.split(found[1] or "")


def _as_written(default: object) -> str:
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    return str(default).lower() if isinstance(default, bool) else str(default)


def test_env_example_lists_every_variable_with_its_default() -> None:
    listed = _VARIABLE.findall(_text(".env.example"))
    expected = {
        name.upper(): _as_written(field.default) for name, field in Settings.model_fields.items()
    }
    of_compose = {name: default for name, default in compose.defaults() if name not in expected}
    assert dict(listed) == expected | of_compose
    assert len(listed) == len(expected | of_compose)


def test_env_example_with_every_line_switched_on_works(tmp_path: Path) -> None:
    file = tmp_path / "all.env"
    file.write_text(re.sub(r"^#(?=[A-Z])", "", _text(".env.example"), flags=re.MULTILINE))
    assert Settings(_env_file=file).model_fields_set >= {"medai_port", "recordings_proxy_hosts"}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_relative_links_lead_somewhere(name: str) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", _prose(name))
    local = [target for target in targets if "://" not in target]
    assert [t for t in local if not (ROOT / name).parent.joinpath(t).exists()] == []


@pytest.mark.parametrize("name", ["docs/architecture.md", "docs/development.md"])
def test_named_files_exist(name: str) -> None:
    places = (ROOT, ROOT / "src" / "medai")
    named = re.findall(r"`([a-z_/]+(?:/|\.(?:py|md|toml|txt)))`", _prose(name))
    full = [one for one in named if "/" in one]
    assert len(full) > 20
    assert [one for one in full if not any((place / one).exists() for place in places)] == []


def test_every_folder_is_described() -> None:
    text = _text("docs/architecture.md")
    folders = [p.name for p in (ROOT / "src" / "medai").iterdir() if p.is_dir()]
    assert [f for f in folders if not f.startswith("__") and f"`{f}/" not in text] == []


def test_both_readmes_have_the_same_skeleton() -> None:
    english, russian = (_prose(name) for name in READMES)
    headings = [re.findall(r"^(#+) ", text, re.MULTILINE) for text in (english, russian)]
    rows = [re.findall(r"^\|", text, re.MULTILINE) for text in (english, russian)]
    assert headings[0] == headings[1]
    assert rows[0] == rows[1]
    assert _BLOCK.findall(_text("README.md")) == _BLOCK.findall(_text("README.ru.md"))


def test_both_readmes_name_the_same_things() -> None:
    english, russian = (set(re.findall(r"`([^`\n]+)`", _prose(name))) for name in READMES)
    assert english == russian


@pytest.mark.parametrize("target", _phony())
def test_a_make_target_knows_all_it_needs(target: str) -> None:
    """A dry run from nothing: a target that lacks a rule for what it needs fails here."""
    dry = ["make", "--dry-run", "--always-make", target]
    ended = subprocess.run(dry, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("name", [*READMES, "docs/development.md"])
def test_make_targets_exist(name: str) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", _text("Makefile"), re.MULTILINE))
    named = {arguments[0] for arguments in _commands(name, "make") if arguments}
    assert named
    assert named <= targets


@pytest.mark.parametrize("name", [*READMES, "docs/development.md", "CHANGELOG.md"])
def test_commands_and_their_options_exist(name: str) -> None:
    used = list(_commands(name, "medai"))
    assert used
    for arguments in used:
        if arguments:
            _check_command(arguments)


def _check_command(arguments: list[str]) -> None:
    command: Any = typer.main.get_command(app)
    rest = list(arguments)
    while hasattr(command, "commands"):
        assert rest, f"{arguments}: a group needs a command"
        assert rest[0] in command.commands, arguments
        command = command.commands[rest.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in rest if word.startswith("--")} <= known, arguments


@pytest.mark.parametrize("name", READMES)
def test_api_paths_exist(name: str) -> None:
    routers = (analysis, calls, events, ledger, metrics, reports, runs, status)
    known = {re.sub(r"\{.*?\}", "X", r.path) for m in routers for r in m.router.routes}
    used = re.findall(r'"\$URL(/[^"?]*)', _text(name))
    assert len(used) > 8
    assert {re.sub(r"/call_report.*?\.pdf", "/X", path) for path in used} <= known


@pytest.mark.parametrize("name", READMES)
def test_settings_named_in_the_readme_exist(name: str) -> None:
    known = {field.upper() for field in Settings.model_fields}
    table = re.findall(r"^\| .*$", _prose(name), re.MULTILINE)
    named = {v for row in table for v in re.findall(r"`([A-Z][A-Z_]{4,})(?:=\w+)?`", row)}
    assert len(named) > 30
    assert named <= known


@pytest.mark.parametrize("name", READMES)
def test_every_exit_code_is_explained(name: str) -> None:
    rows = re.findall(r"^\| (\d+)(?:-(\d+))? \|", _prose(name), re.MULTILINE)
    explained = {n for low, high in rows for n in range(int(low), int(high or low) + 1)}
    assert explained == {0, 130, 143, *EXIT_CODES.values()}


def test_decision_records_are_numbered_without_gaps() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(p.name[:4]) for p in records] == list(range(1, len(records) + 1))
    for path in records:
        headings = re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "Alternatives"], path.name
