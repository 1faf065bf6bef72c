"""deploy/systemd: units that systemd takes, hardened, with the commands that exist."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer
from tests.fixtures.compose import ROOT

from medai.cli.app import app

UNITS = sorted((ROOT / "deploy" / "systemd").iterdir())
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
SERVING = {"medai.service", "medai-api.service", "medai-worker.service", "medai-bot.service"}
HARDENED = {
    "User": "medai", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes",
    "PrivateTmp": "yes", "PrivateDevices": "yes", "CapabilityBoundingSet": "",
    "SystemCallFilter": "@system-service", "UMask": "0077", "StateDirectory": "medai",
    "StateDirectoryMode": "0700", "EnvironmentFile": "/opt/medai/.env",
}  # fmt: skip
_WORST_EXPOSURE = "2.0"


def settings(unit: Path) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", unit.read_text("utf-8"), re.MULTILINE))


def test_the_set_is_whole() -> None:
    names = {unit.name for unit in UNITS}
    parts = {"medai-upgrade.service", "medai-backup.service", "medai-backup.timer", "medai.target"}
    assert names == SERVING | parts
    wanted = settings(ROOT / "deploy" / "systemd" / "medai.target")["Wants"].split()
    assert set(wanted) == SERVING - {"medai.service"}


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_services_are_hardened(unit: Path) -> None:
    found = settings(unit)
    assert {name: found.get(name) for name in HARDENED} == HARDENED
    assert "ENVIRONMENT=production" in found["Environment"]
    assert ("Restart" in found) == (unit.name in SERVING)
    assert ("MemoryMax" in found) == (unit.name in SERVING)


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_the_commands_exist(unit: Path) -> None:
    program, *words = settings(unit)["ExecStart"].split()
    assert program.startswith("/opt/medai/")
    if program.endswith("/backup.sh"):
        assert (ROOT / program.removeprefix("/opt/medai/")).exists()
        return
    command = typer.main.get_command(app)
    for word in words:
        command = getattr(command, "commands", {})[word]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_takes_them_and_finds_little_to_attack(tmp_path: Path) -> None:
    units = tmp_path / "etc/systemd/system"
    shutil.copytree(ROOT / "deploy" / "systemd", units)
    shutil.copytree("/lib/systemd/system", tmp_path / "usr/lib/systemd/system", symlinks=True)
    for program in ("opt/medai/.venv/bin/medai", "opt/medai/deploy/backup.sh", "bin/sh"):
        path = tmp_path / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    root = f"--root={tmp_path}"
    names = [unit.name for unit in UNITS]
    assert _systemd("verify", root, "--man=no", *(str(units / name) for name in names)) == ""
    worst = f"--threshold={_WORST_EXPOSURE.replace('.', '')}"
    _systemd("security", "--offline=yes", worst, root, *(unit.name for unit in SERVICES))


def _systemd(*words: str) -> str:
    ended = subprocess.run(  # noqa: S603 - our own words
        ["systemd-analyze", *words],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-500:] + ended.stderr
    return ended.stderr
