"""Bodies of the clinic routes, and our clinics in their shapes (contract 1.5, 2.2)."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, Field

from medai.clinics.models import Clinic
from medai.crm.registration import Registered
from medai.integrations.amocrm.token_pair import TokenPair
from medai.limits.state import state_of
from medai.staff.models import Administrator

_ID = "0b1c5a52-3f5e-4c2e-9c33-1f6d0e7b8a10"
_MOST_ID = 2**53
_UNREAD_USER = "default_admin"
"""What old documents hold when the CRM's users could not be read (contract 2.2)."""
_SHOWN_LETTERS = 4
_LONG_TOKEN = 40


class ShownAdministrator(BaseModel):
    """An amoCRM user of the clinic. The two counters are of a scheme that is gone."""

    id: str = Field(examples=["5f2b9c0d1e3a4b5c6d7e8f90"])
    name: str = Field(examples=["Анна Иванова"])
    email: str = Field(examples=["anna@example.com"])
    amocrm_user_id: str = Field(description="текстом, как раньше", examples=["2001"])
    monthly_limit: int | None = None
    current_month_usage: int = 0


class ShownClinic(BaseModel):
    """A clinic as old clients read it, plus its zone."""

    id: str = Field(examples=[_ID])
    name: str = Field(examples=["Альфа Дент"])
    client_id: str = Field(examples=[_ID])
    amocrm_subdomain: str = Field(examples=["alpha-dent"])
    amocrm_pipeline_id: int | None
    monthly_limit: int = Field(description="минут в месяц, целых", examples=[3000])
    current_month_usage: int = Field(description="минут с начала месяца, целых", examples=[412])
    last_reset_date: datetime = Field(description="начало месяца по часам клиники")
    created_at: datetime
    updated_at: datetime
    datalens_dashboard_url: str | None
    timezone: str = Field(examples=["Europe/Moscow"])
    administrators: list[ShownAdministrator]


class ClinicOrder(BaseModel):
    """Body of POST admin/clinics. Optional fields keep what a known clinic has."""

    name: str = Field(min_length=1, max_length=200, examples=["Альфа Дент"])
    amocrm_subdomain: str = Field(min_length=1, max_length=63, examples=["alpha-dent"])
    client_id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", examples=[_ID])
    client_secret: str = Field(min_length=1, max_length=500)
    redirect_url: str = Field(max_length=2000, examples=["https://example.com/oauth"])
    auth_code: str = Field(min_length=1, max_length=4000, description="живёт 20 минут")
    amocrm_pipeline_id: int | None = Field(None, ge=0, le=_MOST_ID)
    monthly_limit: int = Field(
        100, ge=0, le=_MOST_ID, description="принимается и не действует: см. limits"
    )
    timezone: str | None = Field(None, max_length=60, examples=["Europe/Moscow"])
    admin_detection_method: str | None = Field(None, max_length=20, examples=["ai_schedule"])


class Connected(BaseModel):
    """What was made of the order. `administrator_count` counts those known before, too."""

    clinic_id: str = Field(examples=[_ID])
    name: str = Field(examples=["Альфа Дент"])
    administrator_count: int = Field(examples=[3])
    is_new: bool


class ConnectedAnswer(BaseModel):
    success: bool
    message: str = Field(examples=["Клиника подключена"])
    data: Connected


class RenewOrder(BaseModel):
    """Body of POST refresh-token: stored once amoCRM has taken them; empty keeps what there is."""

    client_secret: str = Field("", max_length=500)
    redirect_url: str = Field("", max_length=2000, examples=["https://example.com/oauth"])


class TokenInfo(BaseModel):
    """What is stored, without the tokens themselves."""

    client_id: str = Field(examples=[_ID])
    has_access_token: bool
    has_refresh_token: bool
    has_subdomain: bool
    updated_at: datetime | None


class Renewed(BaseModel):
    token_info: TokenInfo
    access_token_preview: str = Field(description="последние знаки: сверить", examples=["…x9Qk"])
    clinic_id: str = Field(examples=[_ID])


class RenewedAnswer(BaseModel):
    success: bool
    message: str = Field(examples=["Доступ к amoCRM обновлён"])
    data: Renewed


class DashboardOrder(BaseModel):
    """Body of PUT datalens-url."""

    datalens_dashboard_url: str = Field(
        max_length=2000, examples=["https://datalens.yandex.ru/abc123"]
    )


class DashboardAnswer(BaseModel):
    message: str = Field(examples=["Адрес дашборда сохранён"])
    client_id: str = Field(examples=[_ID])
    new_url: str = Field(examples=["https://datalens.yandex.ru/abc123"])


def shown(clinic: Clinic, administrators: Sequence[Administrator], now: datetime) -> ShownClinic:
    """The clinic for old clients; its counters are the minutes of the running month."""
    state = state_of(clinic, now)
    month = state.month
    return ShownClinic(
        id=clinic.id,
        name=clinic.name,
        client_id=clinic.client_id,
        amocrm_subdomain=clinic.subdomain,
        amocrm_pipeline_id=clinic.pipeline_id,
        monthly_limit=month.limit_seconds // 60,
        current_month_usage=month.used_seconds // 60,
        last_reset_date=month.started_at.astimezone(state.tz),
        created_at=clinic.created_at,
        updated_at=clinic.updated_at,
        datalens_dashboard_url=clinic.datalens_dashboard_url or None,
        timezone=clinic.timezone,
        administrators=[_administrator(one) for one in administrators],
    )


def connected(done: Registered) -> ConnectedAnswer:
    """What old clients are told after a connection."""
    data = Connected(
        clinic_id=done.clinic.id,
        name=done.clinic.name,
        administrator_count=done.administrators,
        is_new=done.is_new,
    )
    word = "подключена" if done.is_new else "обновлена"
    return ConnectedAnswer(success=True, message=f"Клиника {word}", data=data)


def renewed(clinic: Clinic, pair: TokenPair) -> RenewedAnswer:
    """What may be told of a token pair."""
    info = TokenInfo(
        client_id=clinic.client_id,
        has_access_token=True,
        has_refresh_token=pair.refresh is not None,
        has_subdomain=bool(clinic.subdomain),
        updated_at=pair.issued_at,
    )
    data = Renewed(token_info=info, access_token_preview=_masked(pair.access), clinic_id=clinic.id)
    return RenewedAnswer(success=True, message="Доступ к amoCRM обновлён", data=data)


def _administrator(one: Administrator) -> ShownAdministrator:
    user_id = _UNREAD_USER if one.amocrm_user_id is None else str(one.amocrm_user_id)
    return ShownAdministrator(id=one.id, name=one.name, email=one.email, amocrm_user_id=user_id)


def _masked(token: str) -> str:
    """The end of a long token: enough to compare two, useless for anything else."""
    return "…" + (token[-_SHOWN_LETTERS:] if len(token) >= _LONG_TOKEN else "")
