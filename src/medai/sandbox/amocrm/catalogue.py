"""GET of what a clinic has set up: pipelines, fields, users, account (amocrm.md 7, 8)."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from starlette.responses import Response

from medai.sandbox.amocrm import paging
from medai.sandbox.amocrm.answers import ProblemError, nothing, written
from medai.sandbox.amocrm.context import Context
from medai.sandbox.amocrm.rows import Row

_FOUNDED = 1_600_000_000


def pipelines(context: Context) -> Response:
    """All lead pipelines with their statuses, not paged."""
    rows = [_pipeline(context, row) for row in context.account.clinic.pipelines]
    if not rows:
        return nothing()
    body: Row = {"_total_items": len(rows), "_links": context.link("/leads/pipelines")}
    return written(body | {"_embedded": {"pipelines": rows}})


def pipeline(context: Context) -> Response:
    """One pipeline."""
    return written(_pipeline(context, _found(context.account.clinic.pipelines, context.id)))


def statuses(context: Context) -> Response:
    """Statuses of one pipeline."""
    rows = _statuses(context)
    body: Row = {"_total_items": len(rows), "_links": context.link(context.path)}
    return written(body | {"_embedded": {"statuses": rows}})


def status(context: Context) -> Response:
    """One status of one pipeline."""
    return written(_found(_statuses(context), int(context.params["status"])))


def fields(context: Context) -> Response:
    """Custom fields of a card type, paged. Fields without `entity_type` belong to leads."""
    rows = _fields(context)
    asked = paging.page(context)
    return paging.listing(context, "custom_fields", rows, asked, dict, total=True)


def field(context: Context) -> Response:
    """One custom field."""
    return written(_found(_fields(context), context.id))


def users(context: Context) -> Response:
    """Users of the account; 403 unless the token is an administrator's."""
    _require_admin(context)
    rows: list[Row] = [dict(row) for row in context.account.clinic.users]
    asked = paging.page(context)
    return paging.listing(
        context, "users", rows, asked, lambda row: _user(context, row), total=True
    )


def user(context: Context) -> Response:
    """One user, 404 when missing (unlike cards and notes)."""
    _require_admin(context)
    return written(_user(context, _found(context.account.clinic.users, context.id)))


def account(context: Context) -> Response:
    """The account with what `with=` asked for."""
    state, asked = context.account, context.query.listed("with")
    clinic = state.clinic
    body: Row = {
        "id": clinic.account_id, "name": clinic.name, "subdomain": clinic.subdomain,
        "created_at": _FOUNDED, "created_by": 0, "updated_at": _FOUNDED, "updated_by": 0,
        "current_user_id": context.access.user_id, "country": "RU", "currency": "RUB",
        "currency_symbol": "₽", "customers_mode": "disabled", "is_unsorted_on": True,
        "is_loss_reason_enabled": True, "mobile_feature_version": 0, "is_helpbot_enabled": False,
        "is_technical_account": False, "contact_name_display_order": 1,
        "_links": context.link("/account"),
    }  # fmt: skip
    if "is_api_filter_enabled" in asked:
        body["is_api_filter_enabled"] = state.options.filters == "on"
    if "datetime_settings" in asked:
        body["_embedded"] = {"datetime_settings": _time(clinic.timezone, state.clock())}
    return written(body)


def _time(timezone: str, now: datetime) -> Row:
    offset = now.astimezone(ZoneInfo(timezone)).strftime("%z")
    return {
        "date_pattern": "d.m.Y H:i", "short_date_pattern": "d.m.Y", "date_format": "d.m.Y",
        "time_format": "H:i:s", "timezone": timezone,
        "timezone_offset": f"{offset[:3]}:{offset[3:]}",
    }  # fmt: skip


def _pipeline(context: Context, raw: dict[str, object]) -> Row:
    return {**raw, "_links": context.link(f"/leads/pipelines/{raw['id']}")}


def _statuses(context: Context) -> list[Row]:
    rows: list[Row] = _found(context.account.clinic.pipelines, context.id)["_embedded"]["statuses"]
    return rows


def _fields(context: Context) -> list[Row]:
    rows: Iterable[Row] = map(dict, context.account.clinic.custom_fields)
    return [row for row in rows if row.get("entity_type", "leads") == context.kind]


def _user(context: Context, row: Row) -> Row:
    return {**row, "_links": context.link(f"/users/{row['id']}")}


def _require_admin(context: Context) -> None:
    if not context.access.admin:
        raise ProblemError(403, "You have no permission to see users")


def _found(rows: Iterable[dict[str, object]], wanted: int) -> Row:
    for row in rows:
        if row["id"] == wanted:
            return dict(row)
    raise ProblemError(404, "Not Found")
