"""deploy/Dockerfile: pinned, no tools and no root in what runs, nothing private in its context."""

import re
from pathlib import Path

import pytest
import yaml
from tests.fixtures.dockerfile import ROOT, copied, gets_in, stages


def test_both_stages_stand_on_one_pinned_image() -> None:
    bases = [stage[0].rest.split(" AS ")[0] for stage in stages()]
    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.12\.\d+-slim-\w+", bases[0])


def test_the_last_stage_installs_nothing_and_runs_as_nobody_special() -> None:
    last = stages()[-1]
    ran = " ".join(one.rest for one in last if one.word == "RUN")
    assert not re.search(r"\b(pip|apt|apt-get|curl|wget|gcc)\b", ran)
    (user,) = (one.rest for one in last if one.word == "USER")
    assert user == "10001:10001"
    assert f"--uid {user.split(':')[0]}" in ran


def test_only_the_locked_packages_of_the_service_are_installed() -> None:
    installed = [one.rest for one in stages()[0] if one.word == "RUN" and "install" in one.rest]
    assert len(installed) == 2
    assert "--require-hashes --only-binary :all: -r requirements.txt" in installed[0]
    assert "--no-deps --no-build-isolation --no-index" in installed[1]
    assert {source for source, _ in copied(stages()[0])} == {
        "requirements.txt", "pyproject.toml", "README.md", "src",
    }  # fmt: skip


def test_everything_copied_exists_and_gets_into_the_context() -> None:
    for stage in stages():
        for source, _ in copied(stage):
            assert (ROOT / source).exists(), source
            assert gets_in(source), source
    assert gets_in("src/medai/reports/templates/report.typ")


@pytest.mark.parametrize(
    "path",
    [
        ".env", ".git/config", "var/keys/secret", "app/data/files/audio/1.mp3", "tests/conftest.py",
        "backups/medai-20260101T000000Z/postgres.dump", "requirements-dev.txt", ".venv/bin/python",
        "src/medai/__pycache__/settings.cpython-312.pyc", "deploy/restore.sh.bak",
    ],
)  # fmt: skip
def test_nothing_private_or_needless_gets_into_the_context(path: str) -> None:
    assert not gets_in(path)


def test_every_program_that_compose_runs_is_in_the_image() -> None:
    names = {Path(target).name for _, target in copied(stages()[-1])}
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    assert set(re.findall(r"\bmedai-(?:health|telegram-bot|backup|restore)\b", text)) <= (
        names | {"medai-telegram-bot"}
    )
    services = yaml.safe_load(text)["services"]
    used = {one["command"][0] for one in services.values() if "build" in one and "command" in one}
    assert used - {"medai", "find"} <= names
