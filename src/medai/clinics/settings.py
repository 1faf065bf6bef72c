"""What people may set for a clinic, and the one way it is changed (contract 1.5 settings)."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from medai.clinics.models import Clinic, ConversionConfig, DetectionMethod
from medai.clinics.repository import ClinicRepository
from medai.errors import InvalidInputError
from medai.kit.days import zone
from medai.kit.model import Frozen

LONGEST_WINDOW_DAYS = 60
"""Every sync reads so many days of the CRM's events more: longer windows would flood it."""

WindowDays = Annotated[int, Field(ge=0, le=LONGEST_WINDOW_DAYS)]


class ClinicSettings(Frozen):
    """The settings of a clinic.

    `conversion_window_days`: how many days after the call a booking still counts as its success.
    `conversion_config` None: found in the CRM at the next sync. A change concerns what is synced
    or scored from then on; stored calls keep their business day and their scores.
    """

    admin_detection_method: DetectionMethod
    timezone: str
    conversion_window_days: WindowDays
    count_not_applicable_as_zero: bool
    automatic_processing: bool
    conversion_config: ConversionConfig | None


def settings_of(clinic: Clinic) -> ClinicSettings:
    """The settings of a stored clinic."""
    # Not validated: a restored dump may hold a window that nobody could enter today.
    return ClinicSettings.model_construct(
        **{name: getattr(clinic, name) for name in ClinicSettings.model_fields}
    )


class SettingChanges:
    """Changes settings for people."""

    def __init__(self, clinics: ClinicRepository) -> None:
        self._clinics = clinics

    async def change(self, client_id: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Set some of the settings; returns those that are others now, by name.

        `wanted` maps names of `ClinicSettings` to valid values. Raises InvalidInputError for an
        unknown zone or targets that decide nothing, NotFoundError, ConflictError, StoreError.
        """
        _check(wanted)
        before: dict[str, Any] = {}

        def changed(clinic: Clinic) -> Clinic:
            before.update({name: getattr(clinic, name) for name in wanted})
            return clinic.model_copy(update=dict(wanted))

        after = await self._clinics.change(client_id, changed)
        now = {name: getattr(after, name) for name in wanted}
        return {name: value for name, value in now.items() if value != before[name]}


def _check(wanted: Mapping[str, Any]) -> None:
    if "timezone" in wanted:
        zone(wanted["timezone"])
    config = wanted.get("conversion_config")
    if config is not None and config.primary is None and config.secondary is None:
        # Contract 4.1, rule 3: a confirmation field alone is not enough.
        raise InvalidInputError("Цели конверсии: укажите этап primary или secondary")
