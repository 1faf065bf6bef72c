"""Minutes of clinics: reading, setting, adding, resetting (contract 1.5, 5.6).

A key of some clinics reads theirs. Changing takes a key of all: who pays for the minutes decides.
"""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from medai.api.dependencies import App, Installation, Who
from medai.api.errors import problems
from medai.api.routers.limit_shapes import (
    AddedAnswer,
    AllLimits,
    LimitsSetAnswer,
    ResetAnswer,
    ShownLimits,
    added,
    minutes,
    of_all,
    shown,
)
from medai.api.routers.parameters import ClinicPath
from medai.errors import InvalidInputError
from medai.limits.changes import MOST_SECONDS

router = APIRouter(tags=["limits"])

_MOST_MINUTES = MOST_SECONDS // 60
_ADMIN = "/admin/clinics/{client_id}/limits"
_OLDER = "/admin/clinic-limits/{client_id}"
"""The name in older notes of the front end."""
_CHANGE = problems(400, 404, 409)

_MINUTES = Query(ge=0, le=_MOST_MINUTES, allow_inf_nan=False, description="минут", examples=[3000])
Minutes = Annotated[float, _MINUTES]
MaybeMinutes = Annotated[float | None, _MINUTES]


class AddOrder(BaseModel):
    """Body of limits/add. `weekly_minutes` raises the week's limit too; other keys are ignored."""

    minutes: float = Field(ge=0, le=_MOST_MINUTES, allow_inf_nan=False, examples=[300])
    weekly_minutes: float = Field(0, ge=0, le=_MOST_MINUTES, allow_inf_nan=False, examples=[75])


@router.get("/clinics/limits/all", summary="Minutes of all clinics")
async def all_limits(app: App, who: Who) -> AllLimits:
    """By name, with sums. A key of some clinics sees these only."""
    states = [one async for one in app.limits.states() if who.grant.allows(one.client_id)]
    return of_all(states)


@router.get(_OLDER, summary="Minutes of a clinic", responses=problems(404))
@router.get(_ADMIN, summary="Minutes of a clinic", responses=problems(404))
async def limits(client_id: ClinicPath, app: App, who: Who) -> ShownLimits:
    """Counters of the running month and week, however long ago somebody looked."""
    who.require(client_id)
    return shown(await app.limits.state(client_id))


@router.put(_ADMIN, summary="Set a clinic's minutes", responses=_CHANGE)
async def set_limits(
    client_id: ClinicPath,
    app: App,
    _: Installation,
    monthly_limit_minutes: Minutes,
    current_usage_minutes: MaybeMinutes = None,
    weekly_limit_minutes: MaybeMinutes = None,
) -> LimitsSetAnswer:
    """Set the month's limit and, if given, what counts as used; calls that wait for minutes go on
    at once."""
    changed = await app.limit_changes.set(
        client_id,
        monthly_seconds=_seconds(monthly_limit_minutes),
        weekly_seconds=None if weekly_limit_minutes is None else _seconds(weekly_limit_minutes),
        month_used_seconds=(
            None if current_usage_minutes is None else _seconds(current_usage_minutes)
        ),
    )
    month = changed.state.month
    return LimitsSetAnswer(
        success=True,
        message=f"Лимит сохранён; продолжат ждавшие звонки: {changed.woken}",
        monthly_limit_minutes=minutes(month.limit_seconds),
        current_usage_minutes=minutes(month.used_seconds),
    )


@router.post(f"{_ADMIN}/reset", summary="Count the month as unused", responses=_CHANGE)
async def reset_limits(client_id: ClinicPath, app: App, _: Installation) -> ResetAnswer:
    """The month's counter only; the week's stays."""
    changed = await app.limit_changes.reset(client_id, "month")
    return ResetAnswer(
        success=True,
        message=f"Расход месяца обнулён; продолжат ждавшие звонки: {changed.woken}",
        reset_date=app.clock().astimezone(changed.state.tz),
    )


@router.post(f"{_OLDER}/add-tokens", summary="Add minutes to a limit", responses=_CHANGE)
@router.post(f"{_ADMIN}/add", summary="Add minutes to a limit", responses=_CHANGE)
async def add_minutes(
    client_id: ClinicPath,
    app: App,
    _: Installation,
    order: AddOrder | None = None,
    minutes: MaybeMinutes = None,
) -> AddedAnswer:
    """Raise the month's limit for good. The minutes come in the body or in the query."""
    if order is None:
        if minutes is None:
            raise InvalidInputError("Укажите minutes: сколько минут добавить")
        order = AddOrder(minutes=minutes, weekly_minutes=0)
    month = _seconds(order.minutes)
    changed = await app.limit_changes.add(
        client_id, month_seconds=month, week_seconds=_seconds(order.weekly_minutes)
    )
    return added(changed, month)


def _seconds(amount: float) -> int:
    return round(amount * 60)
