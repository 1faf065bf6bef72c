"""Who works when (contract 1.5 work-schedules). `clinic_id` is the clinic's client_id here."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from medai.api.dependencies import App, Visitor, Who
from medai.api.errors import problems
from medai.bootstrap import Application
from medai.errors import InvalidInputError, NotFoundError
from medai.kit.days import parse_day
from medai.staff.models import Shift
from medai.staff.schedule import LONGEST_NAME, unknown_shift

router = APIRouter(prefix="/work-schedules", tags=["work-schedules"])

_MOST_DAYS = 366
_CLINIC = "0b1c5a52-3f5e-4c2e-9c33-1f6d0e7b8a10"
_SHIFT = "5f2b9c0d1e3a4b5c6d7e8f90"
_RUN = "запуск, который заново определит администраторов звонков этих дней; null: таких нет"

Day = Annotated[str, Field(max_length=20, examples=["2026-11-19"])]
Name = Annotated[str, Field(max_length=LONGEST_NAME)]
ScheduleId = Annotated[str, Path(max_length=100)]
MaybeDay = Annotated[str | None, Query(max_length=20, examples=["2026-11-19"])]


class ShiftsOrder(BaseModel):
    """Body of POST. Other keys are ignored: old clients send `administrator_id`."""

    clinic_id: str = Field(min_length=1, max_length=100, examples=[_CLINIC])
    dates: list[Day] = Field(max_length=_MOST_DAYS, examples=[["2026-11-19", "2026-11-20"]])
    first_name: Name = Field(examples=["Анна"])
    last_name: Name = Field(examples=["Иванова"])


class ShiftOrder(BaseModel):
    """Body of PUT: what is sent and not null is corrected."""

    first_name: Name | None = Field(None, examples=["Анна"])
    last_name: Name | None = Field(None, examples=["Петрова"])
    date: Day | None = None

    def wanted(self) -> dict[str, Any]:
        """Fields of the shift. Raises InvalidInputError for a date that is none."""
        sent = self.model_dump(exclude_none=True)
        if (text := sent.pop("date", None)) is not None:
            sent["day"] = parse_day(text)
        return sent


class ShownShift(BaseModel):
    """One person on one day. The id is opaque."""

    model_config = ConfigDict(populate_by_name=True)
    id: str = Field(alias="_id", examples=[_SHIFT])
    clinic_id: str = Field(examples=[_CLINIC])
    date: date
    first_name: str = Field(examples=["Анна"])
    last_name: str = Field(examples=["Иванова"])
    created_at: datetime
    updated_at: datetime | None = Field(None, description="нет, пока смену не исправляли")


class ShiftList(BaseModel):
    """By day and name, the first thousand."""

    count: int
    schedules: list[ShownShift]


class CreatedAnswer(BaseModel):
    message: str = Field(examples=["Создано смен: 2"])
    created_ids: list[str] = Field(examples=[[_SHIFT]])
    run_id: str | None = Field(description=_RUN)


class UpdatedAnswer(BaseModel):
    message: str = Field(examples=["Смена исправлена"])
    updated_fields: list[str] = Field(examples=[["last_name"]])
    run_id: str | None = Field(description=_RUN)


class RemovedAnswer(BaseModel):
    message: str = Field(examples=["Смена удалена"])
    run_id: str | None = Field(description=_RUN)


@router.post("", status_code=201, summary="Enter shifts", responses=problems(400, 404))
async def create(order: ShiftsOrder, app: App, who: Who) -> CreatedAnswer:
    """Put a person on the list of the days; days they stand on already are skipped.

    400 when nothing was created. Calls of past days get their administrator decided again.
    """
    who.require(order.clinic_id)
    days = [parse_day(text) for text in order.dates]
    done = await app.shift_changes.add(order.clinic_id, days, order.first_name, order.last_name)
    if not done.shifts:
        raise InvalidInputError("Ничего не создано: даты не указаны или эти смены уже есть")
    created_ids = [shift.id for shift in done.shifts]
    return CreatedAnswer(
        message=f"Создано смен: {len(created_ids)}", created_ids=created_ids, run_id=done.run_id
    )


@router.get(
    "",
    summary="Shifts of a clinic",
    response_model_exclude_none=True,
    responses=problems(400, 404),
)
async def listed(
    clinic_id: Annotated[str, Query(max_length=100)],
    app: App,
    who: Who,
    date_from: MaybeDay = None,
    date_to: MaybeDay = None,
) -> ShiftList:
    """From one day to another, both included; without them all, a thousand at most."""
    who.require(clinic_id)
    await app.clinics.require(clinic_id)
    first, last = _day(date_from), _day(date_to)
    if first and last and last < first:
        raise InvalidInputError("Дата начала позже даты окончания: поменяйте их местами")
    found = await app.work_schedule.listed(clinic_id, first, last)
    return ShiftList(count=len(found), schedules=[_shown(shift) for shift in found])


@router.put("/{schedule_id}", summary="Correct a shift", responses=problems(400, 404, 409))
async def correct(schedule_id: ScheduleId, order: ShiftOrder, app: App, who: Who) -> UpdatedAnswer:
    """400 for an empty body, 404 for an unknown shift and when nothing is different, 409 when the
    person is on that day's list already."""
    wanted = order.wanted()
    if not wanted:
        raise InvalidInputError("Укажите, что исправить: first_name, last_name или date")
    before = await _named(schedule_id, app, who)
    done = await app.shift_changes.change(before, wanted)
    (after,) = done.shifts
    updated = [name for name in wanted if getattr(after, name) != getattr(before, name)]
    if not updated:
        raise NotFoundError("Изменений нет: смена уже такая")
    fields = ["date" if name == "day" else name for name in updated]
    return UpdatedAnswer(message="Смена исправлена", updated_fields=fields, run_id=done.run_id)


@router.delete("/{schedule_id}", summary="Remove a shift", responses=problems(404))
async def remove(schedule_id: ScheduleId, app: App, who: Who) -> RemovedAnswer:
    """Calls of that day get their administrator decided again."""
    done = await app.shift_changes.remove(await _named(schedule_id, app, who))
    return RemovedAnswer(message="Смена удалена", run_id=done.run_id)


async def _named(shift_id: str, app: Application, who: Visitor) -> Shift:
    """Raises NotFoundError: unknown and foreign are one."""
    shift = await app.work_schedule.require(shift_id)
    if not who.grant.allows(shift.client_id):
        raise unknown_shift()
    return shift


def _day(text: str | None) -> date | None:
    return parse_day(text) if text else None


def _shown(shift: Shift) -> ShownShift:
    return ShownShift(
        id=shift.id,
        clinic_id=shift.client_id,
        date=shift.day,
        first_name=shift.first_name,
        last_name=shift.last_name,
        created_at=shift.created_at,
        updated_at=shift.updated_at,
    )
