"""Settings of a clinic (contract 1.5 clinics/{clinic_id}/settings)."""

from typing import Any

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from medai.api.dependencies import App, Who
from medai.api.errors import problems
from medai.api.routers.clinics import ClinicId, named
from medai.clinics.models import ConversionConfig, DetectionMethod, FieldTarget, StatusTarget
from medai.clinics.settings import ClinicSettings, WindowDays, settings_of
from medai.errors import NotFoundError

router = APIRouter(prefix="/clinics", tags=["clinics"])

_METHODS = ("amocrm", "ai_schedule")


class ConversionOrder(BaseModel):
    """Targets as a person sets them. `auto_detected` and `detected_at` are accepted, because the
    answer of GET holds them, and change nothing."""

    model_config = ConfigDict(extra="forbid")
    primary: StatusTarget | None = None
    secondary: StatusTarget | None = None
    confirmation_field: FieldTarget | None = None
    manually_overridden: bool = True
    auto_detected: bool = False
    detected_at: AwareDatetime | None = None

    def config(self) -> ConversionConfig:
        """The targets as they are stored."""
        return ConversionConfig(
            primary=self.primary,
            secondary=self.secondary,
            confirmation_field=self.confirmation_field,
            manually_overridden=self.manually_overridden,
            auto_detected=False,
        )


class SettingsOrder(BaseModel):
    """Body of PATCH: any of the settings. `conversion_config` null: find them in the CRM anew."""

    model_config = ConfigDict(extra="forbid")
    # Not an enumeration: old clients know a 404 for a wrong value.
    admin_detection_method: str = Field("amocrm", max_length=100, examples=["ai_schedule"])
    timezone: str = Field("Europe/Moscow", max_length=60, examples=["Asia/Yekaterinburg"])
    conversion_window_days: WindowDays = 0
    count_not_applicable_as_zero: bool = False
    automatic_processing: bool = True
    conversion_config: ConversionOrder | None = None

    def wanted(self) -> dict[str, Any]:
        """The settings that were sent. Raises NotFoundError for an unknown way of attribution."""
        sent = {name: getattr(self, name) for name in self.model_fields_set}
        if "admin_detection_method" in sent and self.admin_detection_method not in _METHODS:
            raise NotFoundError("Способ определения администратора: amocrm или ai_schedule")
        if self.conversion_config is not None:
            sent["conversion_config"] = self.conversion_config.config()
        return sent


class SettingsAnswer(BaseModel):
    success: bool
    data: ClinicSettings


class ChangedSettings(BaseModel):
    """Only those that are others now."""

    admin_detection_method: DetectionMethod | None = None
    timezone: str | None = None
    conversion_window_days: int | None = None
    count_not_applicable_as_zero: bool | None = None
    automatic_processing: bool | None = None
    conversion_config: ConversionConfig | None = None


class ChangedAnswer(BaseModel):
    success: bool
    message: str = Field(examples=["Настройки сохранены"])
    updated_settings: ChangedSettings


@router.get("/{clinic_id}/settings", summary="Settings of a clinic", responses=problems(404))
async def read_settings(clinic_id: ClinicId, app: App, who: Who) -> SettingsAnswer:
    """`admin_detection_method` is what old clients read; the others are ours."""
    clinic = await named(clinic_id, app, who)
    return SettingsAnswer.model_construct(success=True, data=settings_of(clinic))


@router.patch(
    "/{clinic_id}/settings",
    summary="Change settings of a clinic",
    response_model_exclude_unset=True,
    responses=problems(400, 404),
)
async def change_settings(
    clinic_id: ClinicId, order: SettingsOrder, app: App, who: Who
) -> ChangedAnswer:
    """Change those that are sent. Calls that are stored keep their business day and scores.

    404 also for a wrong `admin_detection_method` and when nothing is different, as old clients
    know it; 400 for an unknown zone and for targets that decide nothing.
    """
    clinic = await named(clinic_id, app, who)
    changed = await app.setting_changes.change(clinic.client_id, order.wanted())
    if not changed:
        raise NotFoundError("Изменений нет: такие настройки уже стоят")
    return ChangedAnswer(
        success=True,
        message="Настройки сохранены",
        updated_settings=ChangedSettings(**changed),
    )
