"""Who was on the line: names, schedule, introduction, CRM (contract 4.7)."""

import pytest
from tests.fixtures.clinic_day import DAY, NOON

from medai.staff.attribution import NOBODY, Attribution, NameGuess, by_schedule, needs_guess
from medai.staff.models import Shift
from medai.staff.names import normalised, same_first_name

PAIRS = [
    ("Александр", "Саша"), ("Александра", "Саша"), ("Александр", "Шура"), ("Алексей", "Лёша"),
    ("Алина", "Аля"), ("Анастасия", "Настя"), ("Андрей", "Андрюша"), ("Анна", "Аня"),
    ("Валентина", "Валя"), ("Валерия", "Лера"), ("Виктория", "Вика"), ("Галина", "Галя"),
    ("Дарья", "Даша"), ("Дмитрий", "Дима"), ("Евгений", "Женя"), ("Евгения", "Женя"),
    ("Екатерина", "Катя"), ("Елена", "Лена"), ("Елена", "Алёна"), ("Елизавета", "Лиза"),
    ("Иван", "Ваня"), ("Ирина", "Ира"), ("Ксения", "Ксюша"), ("Людмила", "Люда"),
    ("Маргарита", "Рита"), ("Мария", "Маша"), ("Михаил", "Миша"), ("Надежда", "Надя"),
    ("Наталья", "Наташа"), ("Наталья", "Наталия"), ("Николай", "Коля"), ("Ольга", "Оля"),
    ("Полина", "Поля"), ("Светлана", "Света"), ("Сергей", "Серёжа"), ("Софья", "Соня"),
    ("Татьяна", "Таня"), ("Юлия", "Юля"),
]  # fmt: skip


def shift(name: str) -> Shift:
    first, _, last = name.partition(" ")
    return Shift(
        id=name, client_id="clinic-1", day=DAY, first_name=first, last_name=last, created_at=NOON
    )


def chosen(names: list[str], guess: NameGuess | None = None, crm_name: str = "") -> str | None:
    found = [
        by_schedule([shift(n) for n in order], guess, crm_name) for order in (names, names[::-1])
    ]
    assert found[0] == found[1], "the order of the schedule decides nothing"
    return found[0].name


@pytest.mark.parametrize(("full", "short"), PAIRS)
def test_every_everyday_form_leads_to_the_full_name(full: str, short: str) -> None:
    assert same_first_name(full, short)
    assert same_first_name(short.upper(), f" {full} ")


@pytest.mark.parametrize(
    ("one", "other"),
    [("Анна", "Яна"), ("Александр", "Александра"), ("Евгений", "Евгения"), ("Мария", "Марина"),
     ("Катя", "Кристина"), ("Оля", "Лена")],
)  # fmt: skip
def test_other_names_are_other_people(one: str, other: str) -> None:
    assert not same_first_name(one, other)


def test_names_are_compared_without_case_yo_and_spaces() -> None:
    assert normalised("  АЛЁНА   Петрова ") == "алена петрова"
    assert same_first_name("Руслан", "руслан")


def test_nobody_on_the_schedule_means_nobody() -> None:
    assert by_schedule([], NameGuess("Анна", "", 1.0), "Анна Иванова") == NOBODY


def test_the_only_one_on_shift_needs_no_guess() -> None:
    assert chosen(["Анна Иванова"], NameGuess("Ольга", "", 1.0)) == "Анна Иванова"
    assert not needs_guess([shift("Анна Иванова")])
    assert needs_guess([shift("Анна Иванова"), shift("Ольга Петрова")])


TWO = ["Анна Иванова", "Ольга Петрова"]


@pytest.mark.parametrize(
    ("guess", "expected"),
    [
        (NameGuess("Аня", "", 0.8), "Анна Иванова"),
        (NameGuess("ОЛЬГА", "петрова", 0.3), "Ольга Петрова"),
        (NameGuess("Ольга", "", 0.29), None),
        (NameGuess("Ольга", "Сидорова", 0.9), None),
        (NameGuess("Ирина", "", 0.9), None),
        (NameGuess("", "Петрова", 0.9), None),
        (None, None),
    ],
)
def test_a_guess_must_be_sure_enough_and_on_the_list(
    guess: NameGuess | None, expected: str | None
) -> None:
    assert chosen(TWO, guess) == expected


def test_the_guess_keeps_its_confidence_and_completes_the_name() -> None:
    shifts = [shift(name) for name in TWO]
    assert by_schedule(shifts, NameGuess("Оля", "", 0.7), "") == Attribution("Ольга Петрова", 0.7)


def test_namesakes_are_told_apart_by_the_surname_only() -> None:
    namesakes = ["Анна Иванова", "Анна Смирнова"]
    assert chosen(namesakes, NameGuess("Анна", "", 1.0)) is None
    assert chosen(namesakes, NameGuess("Аня", "Смирнова", 1.0)) == "Анна Смирнова"
    assert chosen(["Александр Белов", "Александра Белая"], NameGuess("Саша", "", 1.0)) is None


@pytest.mark.parametrize(
    ("crm_name", "expected"),
    [
        ("Ольга Петрова", "Ольга Петрова"),
        ("петрова  ольга", "Ольга Петрова"),
        ("Петрова О.", "Ольга Петрова"),
        ("Сидорова", None),
        ("Администратор", None),
        ("", None),
    ],
)
def test_the_crms_name_decides_when_no_guess_does(crm_name: str, expected: str | None) -> None:
    assert chosen(TWO, None, crm_name) == expected
    assert chosen(TWO, NameGuess("Ирина", "", 1.0), crm_name) == expected


def test_a_sure_guess_goes_before_the_crms_name() -> None:
    assert chosen(TWO, NameGuess("Анна", "", 0.9), "Ольга Петрова") == "Анна Иванова"


def test_one_surname_on_two_shifts_proves_nobody() -> None:
    assert chosen(["Анна Петрова", "Ольга Петрова"], None, "Петрова") is None
    assert chosen(["Анна Петрова", "Ольга Петрова"], None, "Ольга Петрова") is None


def test_a_shift_without_a_surname() -> None:
    assert chosen(["Анна", "Ольга Петрова"], None, "Кто-то") is None
    assert chosen(["Анна", "Ольга Петрова"], NameGuess("Аня", "", 0.9)) == "Анна"
