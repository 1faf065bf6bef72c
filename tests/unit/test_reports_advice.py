import pytest
from tests.fixtures.report_calls import content_of, make_analysis, make_call

from medai.calls.models import Call
from medai.reports.advice import web_address


@pytest.mark.parametrize(
    "url",
    ["https://medai.example/a?b=1", "http://10.0.0.5:8001/api/x", "https://пример.рф/файл"],
)
def test_web_addresses_are_kept(url: str) -> None:
    assert web_address(url) == url


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "JaVaScRiPt://medai.example/%0aalert(1)",
        "file:///etc/passwd",
        "data:text/html,<b>",
        "ftp://medai.example/a",
        "//medai.example/a",
        "/api/calls",
        "https://",
        "https://medai.example/a b",
        "https://medai.example/\njavascript:alert(1)",
        "https://medai.example/\u202egpj.exe",
        "http://[::1",
        "https://medai.example/" + "a" * 3000,
        "\\\\server\\share",
    ],
)
def test_anything_else_is_no_link(url: str | None) -> None:
    assert web_address(url) is None


def _with_texts(number: int, administrator: str, *texts: str) -> Call:
    return make_call(
        number, administrator=administrator, analysis=make_analysis(recommendations=texts)
    )


def test_calls_are_grouped_by_administrator_oldest_first() -> None:
    calls = [
        _with_texts(3, "Яна Белова", "а"),
        _with_texts(2, "Анна Сидорова", "б"),
        _with_texts(1, "Анна Сидорова", "в"),
        _with_texts(4, "Анна Сидорова"),
    ]
    advice = content_of(calls).advice
    assert [person.name for person in advice] == ["Анна Сидорова", "Яна Белова"]
    assert [call.texts for call in advice[0].calls] == [("в",), ("б",)]
    assert advice[0].calls[0].at.isoformat() == "2026-09-01T12:00:00+03:00"


def test_common_advice_was_given_to_at_least_two_administrators() -> None:
    calls = [
        _with_texts(1, "Анна", "Назвать клинику.", "Только для Анны"),
        _with_texts(2, "Анна", "Назвать клинику.", "Только для Анны"),
        _with_texts(3, "Яна", "назвать  клинику"),
    ]
    (common,) = content_of(calls).common_advice
    assert (common.text, common.administrators, common.calls) == ("Назвать клинику.", 2, 3)


def test_all_advice_is_common_when_there_is_one_administrator() -> None:
    calls = [_with_texts(1, "Анна", "Первая", "Вторая"), _with_texts(2, "Анна", "Вторая")]
    common = content_of(calls).common_advice
    assert [(one.text, one.calls) for one in common] == [("Вторая", 2), ("Первая", 1)]
