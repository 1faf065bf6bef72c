"""Old clinics (contract 2.2, 5.6) as ours: minutes, owners, conversion targets. Pure."""

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from medai.clinics.models import Clinic, ConversionConfig, FieldTarget, MinuteLimits, StatusTarget
from medai.clinics.repository import to_document
from medai.infra.documents import Document
from medai.kit.days import business_day
from medai.limits.periods import month_key, week_key
from medai.migration.models import Context, Converted, Raw, Refused, id_of, left_over
from medai.migration.values import first, is_true, moment, number, text, whole

SECRETS = ("client_secret", "auth_code")
_USED = frozenset(
    {
        "name", "client_id", "client_secret", "amocrm_subdomain", "redirect_url",
        "amocrm_pipeline_id", "monthly_limit_minutes", "weekly_limit_minutes",
        "current_month_minutes", "current_week_minutes", "last_reset_date",
        "last_week_reset_date", "last_manual_topup", "admin_detection_method",
        "datalens_dashboard_url", "telegram_ids", "auth_code", "created_at", "updated_at",
    }
)  # fmt: skip
_APART = re.compile(r"[\s,;]+")
_SECONDS_PER_MINUTE = 60
_MOST_MINUTES = 10_000_000


def clinic(raw: Raw, context: Context) -> Converted | Refused:
    """The clinic; counters of calls are obsolete and kept under `legacy` only."""
    client_id = text(raw.get("client_id"))
    if not client_id:
        return Refused("clinic_without_client_id")
    created = first(moment(raw.get("created_at")), moment(_born(raw)), context.now)
    config, odd = _config(raw.get("conversion_config"))
    made = Clinic(
        id=id_of(raw),
        client_id=client_id,
        name=text(raw.get("name")) or text(raw.get("clinic_name")) or client_id,
        subdomain=text(raw.get("amocrm_subdomain")),
        client_secret=sealed(raw.get("client_secret"), context),
        redirect_url=text(raw.get("redirect_url")),
        pipeline_id=_positive(raw.get("amocrm_pipeline_id")),
        timezone=context.tz.key,
        admin_detection_method=_method(raw),
        conversion_config=config,
        datalens_dashboard_url=text(raw.get("datalens_dashboard_url")),
        telegram_ids=telegram_ids(raw.get("telegram_ids")),
        limits=_limits(raw, context.tz),
        created_at=created,
        updated_at=first(moment(raw.get("updated_at")), created),
    )
    oddities = [*odd, *(owners_odd := _owners_odd(raw))]
    used = _USED if odd else _USED | {"conversion_config"}
    if "unreadable_telegram_ids" in owners_odd:
        used -= {"telegram_ids"}
    document = {**to_document(made), "legacy": left_over(raw, used)}
    return Converted(
        document, (client_id,), _rank(made), {"telegram_ids": list(made.telegram_ids)},
        tuple(oddities),
    )  # fmt: skip


def key_of(raw: Raw, _context: Context) -> tuple[str, ...]:
    """What makes it one and the same clinic; tokens have the same key."""
    return (text(raw.get("client_id")),)


def joined(document: Document, facts: list[Document]) -> Document:
    """The kept clinic with the owners of all its copies."""
    ids = [i for more in [document, *facts] for i in more.get("telegram_ids") or ()]
    return {**document, "telegram_ids": list(dict.fromkeys(ids))}


def telegram_ids(value: Any) -> tuple[int, ...]:
    """Owners' ids: a list, or a bare number or text of old documents."""
    found = (whole(one) for one in _several(value))
    return tuple(dict.fromkeys(one for one in found if one))


def _several(value: Any) -> list[Any]:
    if isinstance(value, str):
        return _APART.split(value)
    return list(value) if isinstance(value, list | tuple) else [value]


def _owners_odd(raw: Raw) -> list[str]:
    written = raw.get("telegram_ids")
    unread = [one for one in _several(written) if whole(one) is None and one not in (None, "")]
    if unread:
        return ["unreadable_telegram_ids"]
    is_list = "telegram_ids" not in raw or isinstance(written, list)
    return [] if is_list else ["scalar_telegram_ids"]


def sealed(value: Any, context: Context) -> str:
    """A secret as it is stored: encrypted, once."""
    secret = text(value)
    if not secret or context.cipher.is_encrypted(secret):
        return secret
    return context.cipher.encrypt(secret)


def _born(raw: Raw) -> datetime | None:
    born = getattr(raw["_id"], "generation_time", None)
    return born if isinstance(born, datetime) else None


def _positive(value: Any) -> int | None:
    found = whole(value)
    return found if found is not None and found > 0 else None


def _method(raw: Raw) -> Any:
    return "ai_schedule" if raw.get("admin_detection_method") == "ai_schedule" else "amocrm"


def _limits(raw: Raw, tz: ZoneInfo) -> MinuteLimits:
    """Counters belong to the month and week of their last reset; without one they never were
    reset and say nothing (contract 5.6, FIX)."""
    reset, week_reset = moment(raw.get("last_reset_date")), moment(raw.get("last_week_reset_date"))
    usual = MinuteLimits()
    month = month_key(business_day(reset, tz)) if reset else ""
    week = week_key(business_day(week_reset, tz)) if week_reset else ""
    return MinuteLimits(
        monthly_seconds=_minutes(raw.get("monthly_limit_minutes"), usual.monthly_seconds),
        weekly_seconds=_minutes(raw.get("weekly_limit_minutes"), usual.weekly_seconds),
        month=month,
        month_used_seconds=_minutes(raw.get("current_month_minutes"), 0) if month else 0,
        week=week,
        week_used_seconds=_minutes(raw.get("current_week_minutes"), 0) if week else 0,
        topped_up_at=moment(raw.get("last_manual_topup")),
    )


def _minutes(value: Any, otherwise: int) -> int:
    found = number(value)
    if found is None or not 0 <= found <= _MOST_MINUTES:
        return otherwise
    return round(found * _SECONDS_PER_MINUTE)


def _config(value: Any) -> tuple[ConversionConfig | None, tuple[str, ...]]:
    """The conversion targets; what cannot be read is detected anew at the next sync."""
    if not isinstance(value, dict) or not value:
        return None, ()
    try:
        config = ConversionConfig(
            primary=_status(value.get("primary")),
            secondary=_status(value.get("secondary")),
            confirmation_field=_field(value.get("confirmation_field")),
            auto_detected=value.get("auto_detected") is not False,
            detected_at=moment(value.get("detected_at")),
            manually_overridden=is_true(value.get("manually_overridden")),
        )
    except ValidationError:
        return None, ("unreadable_conversion_config",)
    if config.primary is None and config.secondary is None:
        return None, ("unreadable_conversion_config",)
    return config, ()


def _status(value: Any) -> StatusTarget | None:
    if not isinstance(value, dict) or whole(value.get("status_id")) is None:
        return None
    return StatusTarget(
        pipeline_id=whole(value.get("pipeline_id")) or 0,
        pipeline_name=text(value.get("pipeline_name")),
        status_id=whole(value.get("status_id")) or 0,
        status_name=text(value.get("status_name")),
    )


def _field(value: Any) -> FieldTarget | None:
    if not isinstance(value, dict) or whole(value.get("field_id")) is None:
        return None
    return FieldTarget(
        field_id=whole(value.get("field_id")) or 0,
        field_name=text(value.get("field_name")),
        enum_id=whole(value.get("enum_id")) or 0,
        enum_name=text(value.get("enum_name")),
    )


def _rank(made: Clinic) -> tuple[float, ...]:
    return (bool(made.client_secret), bool(made.subdomain), made.updated_at.timestamp())
