"""A clinic and its settings."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from medai.kit.model import Frozen

CrmId = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""A number that amoCRM gave; stores keep 64 bits."""


class StatusTarget(Frozen):
    """A pipeline status that means "booked" (contract 4.1)."""

    pipeline_id: CrmId
    pipeline_name: str
    status_id: CrmId
    status_name: str


class FieldTarget(Frozen):
    """A custom field value that means "the visit is confirmed" (contract 4.1)."""

    field_id: CrmId
    field_name: str
    enum_id: CrmId
    enum_name: str


class ConversionConfig(Frozen):
    """What counts as a conversion for the clinic.

    `manually_overridden` protects a person's edit: detection never overwrites it (contract 4.1).
    """

    primary: StatusTarget | None = None
    secondary: StatusTarget | None = None
    confirmation_field: FieldTarget | None = None
    auto_detected: bool = True
    detected_at: datetime | None = None
    manually_overridden: bool = False


class Reservation(Frozen):
    """Seconds held for one call; `settled` once they are counted as used.

    `at` is the moment of the last change (UTC), None in documents of earlier versions.
    """

    seconds: int
    settled: bool = False
    at: datetime | None = None


class LimitWarning(Frozen):
    """A share of a limit that was reached: `key` names the month or week as `MinuteLimits` does."""

    period: Literal["month", "week"]
    key: str
    percent: int
    at: datetime


class MinuteLimits(Frozen):
    """Transcription quota of a clinic in seconds, with what is used and reserved.

    `month` is "YYYY-MM" and `week` "YYYY-Www" of the clinic's zone: counters of another period
    count as zero, so nothing depends on a reset job. `reservations` maps call id to what is held;
    a settled one stays until the transcript is stored, so a repeated job counts nothing twice.
    `days` maps ISO days of the clinic's zone to the seconds settled on them (the last weeks: the
    pace of the forecast); `warnings` holds what people were warned of, oldest first.
    """

    monthly_seconds: int = 3000 * 60
    weekly_seconds: int = 750 * 60
    month: str = ""
    month_used_seconds: int = 0
    week: str = ""
    week_used_seconds: int = 0
    reservations: dict[str, Reservation] = Field(default_factory=dict)
    days: dict[str, int] = Field(default_factory=dict)
    warnings: tuple[LimitWarning, ...] = ()
    topped_up_at: datetime | None = None


DetectionMethod = Literal["amocrm", "ai_schedule"]
"""How the administrator of a call is found (contract 4.7)."""


class Clinic(Frozen):
    """A clinic. `client_id` (the amoCRM integration's UUID) is its key everywhere.

    `client_secret` is stored encrypted. `revision` rises with each write: conditional updates
    compare it. `automatic_processing`: schedules ask for transcripts and scores of new calls;
    without it they only fetch calls and export.
    """

    id: str
    client_id: str
    name: str
    subdomain: str = ""
    client_secret: str = ""
    redirect_url: str = ""
    pipeline_id: int | None = None
    timezone: str = "Europe/Moscow"
    admin_detection_method: DetectionMethod = "amocrm"
    conversion_config: ConversionConfig | None = None
    conversion_window_days: int = 0
    automatic_processing: bool = True
    count_not_applicable_as_zero: bool = False
    datalens_dashboard_url: str = ""
    telegram_ids: tuple[int, ...] = ()
    limits: MinuteLimits = MinuteLimits()
    revision: int = 0
    created_at: datetime
    updated_at: datetime
