"""A zone that is none is an error for work and no obstacle for looking."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from medai.clinics.models import Clinic
from medai.clinics.zones import shown_zone
from medai.errors import InvalidInputError
from medai.kit.days import zone
from medai.limits.state import state_of

NOW = datetime(2026, 11, 19, 12, tzinfo=UTC)


def clinic(timezone: str) -> Clinic:
    return Clinic(id="1", client_id="a", name="Альфа", timezone=timezone,
                  created_at=NOW, updated_at=NOW)  # fmt: skip


@pytest.mark.parametrize(
    "name", ["", "Europe", "Mars/Olympus", "../etc/passwd", "\x00", "\ud800", "a" * 5000, "/"]
)
def test_a_zone_that_is_none(name: str) -> None:
    with pytest.raises(InvalidInputError):
        zone(name)
    assert shown_zone(clinic(name)) == ZoneInfo("Europe/Moscow")
    assert state_of(clinic(name), NOW).month.key == "2026-11"


def test_a_known_zone_is_shown_as_it_is() -> None:
    assert state_of(clinic("Asia/Omsk"), NOW).tz == ZoneInfo("Asia/Omsk")
