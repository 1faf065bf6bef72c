"""The people who answer the telephone."""

from datetime import date, datetime

from medai.kit.model import Frozen


class Administrator(Frozen):
    """An amoCRM user of a clinic who takes calls."""

    id: str
    client_id: str
    name: str
    amocrm_user_id: int | None
    email: str = ""
    created_at: datetime


class Shift(Frozen):
    """One administrator on duty on one business day (contract 2.2 work_schedules)."""

    id: str
    client_id: str
    day: date
    first_name: str
    last_name: str
    created_at: datetime
    updated_at: datetime | None = None

    @property
    def full_name(self) -> str:
        """First name, space, last name: the form stored on calls (contract 4.7)."""
        return f"{self.first_name} {self.last_name}".strip()
