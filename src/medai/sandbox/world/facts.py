"""The invented particulars of one conversation: who, what about, when."""

import random
from dataclasses import dataclass

from medai.sandbox.world.people import Person
from medai.sandbox.world.phrases.repeat import REQUESTS
from medai.sandbox.world.topics import Topic

_LASTING = (
    *("третий день", "уже неделю", "со вчерашнего вечера", "с прошлых выходных", "дней пять"),
    *("уже полмесяца", "с понедельника", "почти месяц", "четвёртый день", "второй день"),
)
_PLANNED = (
    *("давно собираюсь", "думаю об этом с весны", "никак не соберусь", "хочу успеть до отпуска"),
    *("откладываю второй месяц", "лучше на этой неделе", "желательно до конца месяца"),
)
_CHANNELS = ("карты", "сайт", "знакомых", "поиск", "соседей по дому")
_DAYS = ("в понедельник", "во вторник", "в среду", "в четверг", "в пятницу", "в субботу")
_TIMES = (
    *("в девять тридцать", "в десять", "в десять сорок", "в одиннадцать двадцать", "в полдень"),
    *("в тринадцать пятнадцать", "в четырнадцать", "в пятнадцать тридцать", "в шестнадцать"),
    *("в семнадцать двадцать", "в восемнадцать", "в девятнадцать десять"),
)
_NUMBERS = (
    *("двенадцать", "семнадцать", "двадцать два", "тридцать один", "сорок пять", "пятьдесят"),
    *("шестьдесят восемь", "семьдесят три", "восемьдесят девять", "девяносто четыре", "сто шесть"),
    *("двести десять", "триста сорок", "пятьсот семь", "шестьсот два", "девятьсот один"),
)
_CALLED = ("вчера утром", "вчера днём", "на прошлой неделе", "позавчера", "в прошлую пятницу")


@dataclass(frozen=True, slots=True)
class Setting:
    """What a dialogue needs to know of its clinic and the people on the line.

    `administrator` is the name she would say when she introduces herself.
    """

    clinic: str
    address: str
    administrator: str
    patient: Person
    topic: Topic


def facts(setting: Setting, rng: random.Random) -> dict[str, str]:
    """Values for the names in braces of the phrases; a capital key is a capitalised value."""
    topic, patient = setting.topic, setting.patient
    day, day2 = rng.sample(_DAYS, 2)
    time, time2 = rng.sample(_TIMES, 2)
    values = {
        "clinic": setting.clinic,
        "address": setting.address,
        "admin": setting.administrator,
        "full_name": patient.full_name,
        "name": patient.first_name,
        "since": rng.choice(_PLANNED if topic.wish else _LASTING),
        "lately": rng.choice(_LASTING),
        "channel": rng.choice(_CHANNELS),
        "request": rng.choice(REQUESTS),
        "since_call": rng.choice(_CALLED),
        "number": " ".join(rng.sample(_NUMBERS, 2)),
    }
    values |= {"day": day, "day2": day2, "time": time, "time2": time2}
    values |= _of_topic(topic)
    return values | {key.capitalize(): _capital(value) for key, value in values.items()}


def _of_topic(topic: Topic) -> dict[str, str]:
    plain = ("complaint", "visit", "includes", "image", "doctor", "role", "years", "matched")
    money = ("price", "price_from", "price_range", "question", "answer", "about")
    values = {name: str(getattr(topic, name)) for name in (*plain, *money)}
    for number, (question, answer) in enumerate(topic.probing, start=1):
        values |= {f"q{number}": question, f"a{number}": answer}
    return values


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
