"""The two fictional clinics: what stays the same for every seed."""

import uuid
from dataclasses import dataclass
from typing import Literal

from medai.sandbox.world.topics import DENTAL, MEDICAL, Topic


@dataclass(frozen=True, slots=True)
class Colleague:
    """An administrator. `skill` (0-1) moves her scores; `on_shift`: works on the world's day."""

    first_name: str
    last_name: str
    skill: float
    on_shift: bool = True
    short_name: str | None = None

    @property
    def full_name(self) -> str:
        """First name, space, last name."""
        return f"{self.first_name} {self.last_name}"


@dataclass(frozen=True, slots=True)
class Profile:
    """A clinic before its day is invented."""

    name: str
    subdomain: str
    address: str
    timezone: str
    attribution: Literal["amocrm", "ai_schedule"]
    account_id: int
    first_id: int
    topics: tuple[Topic, ...]
    colleagues: tuple[Colleague, ...]

    @property
    def client_id(self) -> str:
        """The integration's UUID: the same in every world."""
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{self.subdomain}.medai.example"))


PROFILES = (
    Profile(
        name="Альфа Дент",
        subdomain="alpha-dent",
        address="Тихая улица, дом двенадцать",
        timezone="Europe/Moscow",
        attribution="amocrm",
        account_id=41001,
        first_id=100_000,
        topics=DENTAL,
        colleagues=(
            Colleague("Мария", "Светлова", 0.95),
            Colleague("Дарья", "Ключевская", 0.75),
            Colleague("Оксана", "Берестова", 0.5),
        ),
    ),
    Profile(
        name="Здравие",
        subdomain="zdravie",
        address="Речная набережная, дом пять",
        timezone="Asia/Yekaterinburg",
        attribution="ai_schedule",
        account_id=52002,
        first_id=500_000,
        topics=MEDICAL,
        colleagues=(
            Colleague("Екатерина", "Ольхова", 0.9, short_name="Катя"),
            Colleague("Людмила", "Тополева", 0.65),
            Colleague("Виктория", "Рассветова", 0.45),
            Colleague("Жанна", "Отпускная", 0.7, on_shift=False),
        ),
    ),
)
