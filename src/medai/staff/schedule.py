"""Who works when: entering, correcting and reading shifts (contract 1.5 work-schedules)."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from medai.errors import ConflictError, InvalidInputError, NotFoundError
from medai.kit.clock import Clock
from medai.kit.ids import random_id
from medai.kit.text import clean
from medai.staff.models import Shift
from medai.staff.repository import StaffRepository

MOST_LISTED = 1000
LONGEST_NAME = 100


class WorkSchedule:
    """The shifts of all clinics. Raises StoreError."""

    def __init__(self, staff: StaffRepository, clock: Clock) -> None:
        self._staff = staff
        self._clock = clock

    async def add(
        self, client_id: str, days: Iterable[date], first_name: str, last_name: str
    ) -> list[Shift]:
        """Put a person on the list of the days; returns the shifts that were not there.

        Raises InvalidInputError for an empty or long name.
        """
        first_name, last_name = _name(first_name), _name(last_name, may_be_empty=True)
        shifts = [
            Shift(
                # No id made of the names: they may be corrected later.
                id=random_id(),
                client_id=client_id,
                day=day,
                first_name=first_name,
                last_name=last_name,
                created_at=self._clock(),
            )
            for day in sorted(set(days))
        ]
        return [shift for shift in shifts if await self._staff.add_shift(shift)]

    async def listed(self, client_id: str, first: date | None, last: date | None) -> list[Shift]:
        """The first thousand shifts from one day to another, by day and name."""
        found = self._staff.shifts_between(client_id, first, last, MOST_LISTED)
        return [shift async for shift in found]

    async def require(self, shift_id: str) -> Shift:
        """The shift. Raises NotFoundError."""
        shift = await self._staff.shift(shift_id)
        if shift is None:
            raise unknown_shift()
        return shift

    async def change(self, shift: Shift, wanted: Mapping[str, Any]) -> Shift:
        """Correct day or names; equal to the given shift when nothing is different.

        Raises InvalidInputError for an empty name, ConflictError when the person is on that day's
        list already, NotFoundError when the shift is gone.
        """
        fields = dict(wanted)
        if "first_name" in fields:
            fields["first_name"] = _name(fields["first_name"])
        if "last_name" in fields:
            fields["last_name"] = _name(fields["last_name"], may_be_empty=True)
        changed = shift.model_copy(update=fields)
        if changed == shift:
            return shift
        fields["updated_at"] = self._clock()
        try:
            is_there = await self._staff.change_shift(shift.id, fields)
        except ConflictError as error:
            raise ConflictError("Этот человек уже стоит в графике на этот день") from error
        if not is_there:
            raise unknown_shift()
        return changed.model_copy(update={"updated_at": fields["updated_at"]})

    async def remove(self, shift: Shift) -> None:
        """Take the shift off the list. Raises NotFoundError when somebody else did."""
        if not await self._staff.remove_shift(shift.id):
            raise unknown_shift()


def unknown_shift() -> NotFoundError:
    """What is said of a shift that does not exist, or not for whoever asks."""
    return NotFoundError("Смена не найдена: обновите график")


def _name(text: str, *, may_be_empty: bool = False) -> str:
    name = " ".join(clean(text).split())
    if len(name) > LONGEST_NAME or not (name or may_be_empty):
        raise InvalidInputError(f"Имя администратора: укажите от 1 до {LONGEST_NAME} знаков")
    return name
