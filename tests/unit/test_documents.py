"""Documents keep pace with the code: settings, named files, folders, both languages.

Commands, links and pictures: tests/documents.
"""

import re
import subprocess
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.fixtures import compose

from medai.cli.running import EXIT_CODES
from medai.settings import Settings

ROOT = Path(__file__).parents[2]
READMES = ("README.md", "README.ru.md")
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
    shell = [[b for b in _BLOCK.findall(_text(name)) if b[0] == "sh"] for name in READMES]
    assert shell[0] == shell[1]


def test_both_readmes_name_the_same_things() -> None:
    english, russian = (set(re.findall(r"`([^`\n]+)`", _prose(name))) for name in READMES)
    assert english == russian


@pytest.mark.parametrize("target", _phony())
def test_a_make_target_knows_all_it_needs(target: str) -> None:
    """A dry run from nothing: a target that lacks a rule for what it needs fails here."""
    dry = ["make", "--dry-run", "--always-make", target]
    ended = subprocess.run(dry, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("name", READMES)
def test_settings_named_in_the_readme_exist(name: str) -> None:
    known = {field.upper() for field in Settings.model_fields}
    table = re.findall(r"^\| .*$", _prose(name), re.MULTILINE)
    named = {v for row in table for v in re.findall(r"`([A-Z][A-Z_]{4,})(?:=\w+)?`", row)}
    assert len(named) > 15
    assert named <= known


def test_every_exit_code_is_explained() -> None:
    rows = re.findall(r"^\| (\d+)(?:-(\d+))? \|", _prose("docs/commands.md"), re.MULTILINE)
    explained = {n for low, high in rows for n in range(int(low), int(high or low) + 1)}
    assert explained == {0, 130, 143, *EXIT_CODES.values()}


def test_decision_records_are_numbered_without_gaps() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(p.name[:4]) for p in records] == list(range(1, len(records) + 1))
    for path in records:
        headings = re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "Alternatives"], path.name
