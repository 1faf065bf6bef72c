"""Invented names. Administrators are women so that their lines need one grammatical gender."""

import random
from dataclasses import dataclass
from typing import Literal

_FEMALE = (
    *("Анна", "Ольга", "Елена", "Ирина", "Наталья", "Татьяна", "Светлана", "Марина", "Юлия"),
    *("Дарья", "Ксения", "Вероника", "Лидия", "Галина", "Софья", "Алиса", "Инна", "Римма"),
)
_MALE = (
    *("Андрей", "Сергей", "Михаил", "Алексей", "Игорь", "Павел", "Роман", "Кирилл", "Денис"),
    *("Егор", "Тимур", "Виктор", "Олег", "Илья", "Георгий", "Степан", "Фёдор", "Антон"),
)
_SURNAMES = (
    *(
        "Лесн",
        "Полев",
        "Озеров",
        "Ветров",
        "Луков",
        "Тихомиров",
        "Белозёров",
        "Рябинин",
        "Сенокосов",
    ),
    *("Журавин", "Калинин", "Осокин", "Родников", "Ясенев", "Дубравин", "Перепёлкин", "Снегов"),
    *("Черешнев", "Малинин", "Облаков", "Зорин", "Скворцов", "Ручьёв", "Вербин", "Кленов"),
)


@dataclass(frozen=True, slots=True)
class Person:
    """A patient."""

    first_name: str
    last_name: str
    voice: Literal["female", "male"]

    @property
    def full_name(self) -> str:
        """First and last name, as people introduce themselves."""
        return f"{self.first_name} {self.last_name}"


def person(rng: random.Random) -> Person:
    """Somebody invented: 18 first names and 25 surnames for each gender."""
    female = rng.random() < 0.6
    root = rng.choice(_SURNAMES)
    if root.endswith("н") and not root.endswith("ин"):
        last = root + ("ая" if female else "ой")
    else:
        last = root + ("а" if female else "")
    return Person(rng.choice(_FEMALE if female else _MALE), last, "female" if female else "male")
