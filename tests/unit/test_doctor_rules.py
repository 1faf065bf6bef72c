"""What the doctor says of settings, clocks and minutes, without any store."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.application import settings_for
from tests.fixtures.clinic_day import NOON, clinic

from medai.clinics.models import MinuteLimits
from medai.doctor.clocks import compared
from medai.doctor.findings import Level
from medai.doctor.machine import check_data_folder, check_rendering
from medai.doctor.setting_rules import check_settings
from medai.doctor.variable_names import unknown_variables
from medai.doctor.work import check_clinic

STRONG = {
    "environment": "production",
    "medai_secret": "r3Zp0b7Vw1xK9yQ5tLm2sHd8fJc4gNa6",
    "cors_origins": "https://front.example",
    "api_base_url": "https://medai.example/api",
}
URL = "http://127.0.0.1:9"


def said(tmp_path: Path, **changes: Any) -> dict[str, Level]:
    settings = settings_for(URL, "", tmp_path, **{**STRONG, **changes})
    return {one.message: one.level for one in check_settings(settings)}


def test_good_settings_are_one_line(tmp_path: Path) -> None:
    assert set(said(tmp_path).values()) == {Level.OK}
    assert len(said(tmp_path)) == 1


@pytest.mark.parametrize(
    ("changes", "level", "word"),
    [
        ({"api_key": ""}, Level.PROBLEM, "API_KEY"),
        ({"api_key": "short"}, Level.WARNING, "API_KEY"),
        ({"medai_secret": "short"}, Level.PROBLEM, "MEDAI_SECRET"),
        ({"medai_secret": "a" * 40}, Level.PROBLEM, "MEDAI_SECRET"),
        ({"medai_metrics_token": "short"}, Level.WARNING, "MEDAI_METRICS_TOKEN"),
        ({"postgres_dsn": "host=a", "postgres_host": "b"}, Level.WARNING, "POSTGRES_DSN"),
        ({"medai_worker_metrics_port": 8001}, Level.PROBLEM, "MEDAI_PORT"),
        ({"evenlabs": ""}, Level.PROBLEM, "EVENLABS"),
        ({"openai": " "}, Level.PROBLEM, "OPENAI"),
        ({"amocrm_requests_per_second": 7}, Level.PROBLEM, "AMOCRM_REQUESTS_PER_SECOND"),
        ({"amocrm_requests_per_second": 0}, Level.WARNING, "AMOCRM_REQUESTS_PER_SECOND"),
        ({"amocrm_batch_size": 0}, Level.PROBLEM, "AMOCRM_BATCH_SIZE"),
        ({"elevenlabs_base_url": "https://api.example/v1"}, Level.PROBLEM, "ELEVENLABS_BASE_URL"),
        ({"proxy_string": "nonsense"}, Level.PROBLEM, "PROXY_STRING"),
        ({"proxy_enabled": True}, Level.WARNING, "PROXY_HOST"),
        ({"medai_open_links": "legacy"}, Level.WARNING, "MEDAI_OPEN_LINKS"),
        ({"log_level": "DEBUG"}, Level.WARNING, "LOG_LEVEL"),
        ({"cors_origins": "*"}, Level.WARNING, "CORS_ORIGINS"),
        ({"api_base_url": "http://localhost/api"}, Level.WARNING, "API_BASE_URL"),
        ({"openai_base_url": "http://model.example/v1"}, Level.WARNING, "OPENAI_BASE_URL"),
    ],
)
def test_a_bad_setting_is_named_with_what_to_do(
    tmp_path: Path, changes: dict[str, Any], level: Level, word: str
) -> None:
    found = said(tmp_path, **changes)
    (message,) = [message for message in found if word in message]
    assert found[message] is level
    assert ":" in message
    assert "\n" not in message
    for value in changes.values():
        assert not isinstance(value, str) or len(value) < 12 or value not in message


@pytest.mark.parametrize(
    ("seconds", "level"),
    [(0, Level.OK), (4, Level.OK), (-6, Level.WARNING), (61, Level.PROBLEM), (-90, Level.PROBLEM)],
)
def test_clocks_are_compared(seconds: int, level: Level) -> None:
    assert compared("clock", "x", NOON + timedelta(seconds=seconds), NOON).level is level


@pytest.mark.parametrize(
    ("used", "level"), [(0, Level.OK), (2_500, Level.WARNING), (2_700, Level.PROBLEM)]
)
def test_minutes_that_end_are_told(used: int, level: Level) -> None:
    limits = MinuteLimits(weekly_seconds=2_700, week="2026-W47", week_used_seconds=used)
    worst = {one.level for one in check_clinic(clinic(limits=limits), NOON)}
    assert worst == {level}


def test_an_unknown_time_zone_is_a_problem() -> None:
    (found,) = check_clinic(clinic(timezone="Mars/Olympus"), NOON)
    assert (found.check, found.level) == ("time_zones", Level.PROBLEM)


async def test_keys_and_folders_open_to_others_are_told(tmp_path: Path) -> None:
    settings = settings_for(URL, "", tmp_path)
    assert [one.level for one in await check_data_folder(settings)] == [Level.OK]
    (tmp_path / "keys").mkdir(mode=0o755)
    (tmp_path / "keys" / "secret").write_text("x")
    (tmp_path / "keys" / "secret").chmod(0o644)
    levels = [one.level for one in await check_data_folder(settings)]
    assert levels == [Level.WARNING, Level.PROBLEM, Level.OK]


async def test_a_folder_that_cannot_be_made_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    settings = settings_for(URL, "", tmp_path / "file" / "data")
    (found,) = await check_data_folder(settings)
    assert found.level is Level.PROBLEM


async def test_a_report_is_rendered() -> None:
    (found,) = await check_rendering()
    assert found.level is Level.OK


@pytest.mark.parametrize(
    "name",
    ["PATH", "LANG", "OPENAI_API_KEY", "MEDAI_TEST_MONGODB_URI", "AMOCRM_TOKEN", "MONGO_URI",
     "POSTGRES_PASSWORD_FILE", "HTTPS_PROXY", "medai_port"],
)  # fmt: skip
def test_variables_of_others_are_left_alone(name: str) -> None:
    assert list(unknown_variables([name])) == []


@pytest.mark.parametrize(
    ("name", "hint"),
    [("MEDAI_PROT", "MEDAI_PORT"), ("OPENAI_MODLE", "OPENAI_MODEL"), ("EVENLAB", "EVENLABS"),
     ("MEDAI_COLOUR", ".env.example")],
)  # fmt: skip
def test_misspelt_variables_are_told_with_a_hint(name: str, hint: str) -> None:
    (found,) = unknown_variables([name])
    assert (found.level, hint in found.message) == (Level.WARNING, True)
