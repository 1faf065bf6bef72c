"""Values that would make the service stand still or break later are refused at start."""

import pytest

from medai.cli.running import read_settings
from medai.errors import SettingsError


@pytest.mark.parametrize(
    "name",
    ["stt_concurrency", "llm_concurrency", "recordings_concurrency", "recordings_max_megabytes",
     "elevenlabs_timeout_seconds", "openai_timeout_seconds", "recordings_timeout_seconds"],
)  # fmt: skip
def test_zero_is_refused_by_name(name: str) -> None:
    with pytest.raises(SettingsError, match=name.upper()):
        read_settings(_env_file=None, **{name: 0})


def test_no_repeats_are_a_choice() -> None:
    assert read_settings(stt_repeats_after_lost_answer=0).stt_repeats_after_lost_answer == 0


def test_log_levels() -> None:
    assert read_settings(log_level="warning").log_level == "WARNING"
    with pytest.raises(SettingsError, match="LOG_LEVEL"):
        read_settings(log_level="verbose")
