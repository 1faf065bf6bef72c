"""How a clinic's amoCRM is set up: users, pipelines and custom fields, with traps for detection."""

from dataclasses import dataclass

from medai.sandbox.world import crm_setup
from medai.sandbox.world.crm import Account, Json
from medai.sandbox.world.profiles import Profile

CONFIRMED, NOT_CONFIRMED = "Подтверждён", "Не подтверждён"
SPEEDS = {
    "0 мин": 0,
    "5-10 мин": 5,
    "10 - 15 мин": 10,
    "15-30 мин": 15,
    "30 - 1 час": 30,
    "1-3 часа": 60,
    "3-6 часов": 180,
    "12-1 день": 720,
}
"""Labels of the speed field and what they mean in minutes (contract 4.5)."""

SOURCES = ("Яндекс Карты", "Сайт", "Рекомендация", "2ГИС", "ВКонтакте")
_STAGES = ("Новая заявка", "В работе", "Записались", "Пришли на приём")


@dataclass(frozen=True, slots=True)
class Setup:
    """The account's fixed objects.

    `first` and `repeat` are the pipelines whose status «Записались» means a booking; `archive`
    has a status of that name that means nothing.
    """

    account: Account
    users: tuple[Json, ...]
    archive: Json
    first: Json
    repeat: Json
    administrator: Json
    source: Json
    speed: Json
    confirmation: Json

    @property
    def pipelines(self) -> tuple[Json, ...]:
        """In the order the API gives them: the trap comes first."""
        return (self.archive, self.first, self.repeat)

    @property
    def custom_fields(self) -> tuple[Json, ...]:
        """All fields of leads."""
        return (self.administrator, self.source, self.speed, self.confirmation)

    def booked(self, pipeline: Json) -> tuple[int, int]:
        """(pipeline id, status id) of «Записались» there."""
        return self.status(pipeline, "Записались")

    def status(self, pipeline: Json, name: str) -> tuple[int, int]:
        """(pipeline id, status id) of the status with that name."""
        statuses = pipeline["_embedded"]["statuses"]
        return pipeline["id"], next(s["id"] for s in statuses if s["name"] == name)

    def confirmation_enum(self, value: str) -> int:
        """The enum id of a value of the confirmation field."""
        return next(int(e["id"]) for e in self.confirmation["enums"] if e["value"] == value)


def setup(profile: Profile) -> Setup:
    """The account of one clinic. Ids start at the profile's `first_id`."""
    account = Account(profile.subdomain, profile.account_id)
    base = profile.first_id
    people = enumerate(profile.colleagues, start=base + 1)
    enums = ((base + 61, NOT_CONFIRMED), (base + 62, CONFIRMED))
    speeds = [(base + 70 + i, label) for i, label in enumerate(SPEEDS)]
    return Setup(
        account=account,
        users=tuple(crm_setup.user(account, uid, c.full_name) for uid, c in people),
        archive=crm_setup.pipeline(account, base + 20, "Архив и обучение", _STAGES),
        first=crm_setup.pipeline(account, base + 21, "Первичные пациенты", _STAGES),
        repeat=crm_setup.pipeline(account, base + 22, "Повторные пациенты", _STAGES),
        administrator=crm_setup.custom_field(account, base + 31, "Администратор"),
        source=crm_setup.custom_field(account, base + 32, "Источник трафика"),
        speed=crm_setup.custom_field(account, base + 33, "Скорость обработки", speeds),
        confirmation=crm_setup.custom_field(account, base + 34, "Подтверждение визита", enums),
    )
