from datetime import date, timedelta

import pytest
from tests.fixtures.report_calls import AUGUST, content_of, make_analysis, make_call, many_calls

from medai.kit.days import DayRange
from medai.reports.models import DayPoint
from medai.reports.pages.advice import MAX_CALLS, advice_part
from medai.reports.pages.cards import cards
from medai.reports.pages.charts import call_bars, heat_table, line_chart
from medai.reports.pages.highlights import highlights
from medai.reports.pages.markdown import blocks


def _plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_cards_tell_the_change_and_whether_it_is_good() -> None:
    now = [
        make_call(n, converted=n < 2, processing_speed_minutes=10, duration_seconds=60)
        for n in range(4)
    ]
    before = [
        make_call(n, business_day=AUGUST.first, processing_speed_minutes=20, duration_seconds=60,
                  analysis=make_analysis(overall=8.5))
        for n in range(5)
    ]  # fmt: skip
    found = {
        card["label"]: (card["value"], card["change"])
        for card in cards(content_of(now, previous=before))
    }
    assert found["Звонки"][0] == "4"
    assert _plain(found["Звонки"][1]["text"]) == "−20,0 %"
    assert found["Звонки"][1]["tone"] == "plain"
    assert _plain(found["Конверсия"][1]["text"]) == "+50,0 п. п."
    assert found["Конверсия"][1]["tone"] == "good"
    assert _plain(found["FG %"][1]["text"]) == "−5,0 п. п."
    assert (found["FG %"][1]["tone"], found["FG %"][1]["mark"]) == ("poor", "▼")
    assert _plain(found["Скорость обработки"][1]["text"]) == "−50,0 %"
    assert found["Скорость обработки"][1]["tone"] == "good"  # faster is better
    assert found["Средний звонок, мин"][1]["text"] == "без изменений"
    assert found["Исходящие"][1]["text"] == ""  # nothing to compare with


@pytest.mark.parametrize(
    ("highest", "ticks"),
    [(0, ["0", "1"]), (1, ["0", "1"]), (5, ["0", "1", "2", "3", "4", "5"]),
     (42, ["0", "10", "20", "30", "40", "50"]), (101, ["0", "50", "100", "150"])],
)  # fmt: skip
def test_axes_have_round_whole_ticks_above_the_highest_value(
    highest: int, ticks: list[str]
) -> None:
    points = [DayPoint(date(2026, 9, 1), highest, 0), DayPoint(date(2026, 9, 2), 0, 0)]
    chart = line_chart(points)
    assert chart["ticks"] == ticks
    assert chart["top"] == int(ticks[-1])


def test_long_periods_are_drawn_by_week_and_lose_no_call() -> None:
    start = date(2026, 1, 1)
    points = [DayPoint(start + timedelta(days=n), 2, 1) for n in range(365)]
    chart = line_chart(points)
    assert chart["unit"] == "неделям"
    assert len(chart["calls"]) == 53
    assert (sum(chart["calls"]), sum(chart["converted"])) == (730, 365)
    assert sum(bool(label) for label in chart["labels"]) <= 10


def test_the_heat_table_shows_the_working_day_and_wider_if_used() -> None:
    heat = [[0] * 24 for _ in range(7)]
    heat[0][8], heat[6][11] = 4, 1
    part = heat_table(heat)
    assert part["hours"] == [str(hour) for hour in range(8, 18)]
    assert part["rows"][0]["cells"][0] == {"count": 4, "share": 1.0}
    assert part["rows"][6]["cells"][3] == {"count": 1, "share": 0.25}
    heat[3][23] = 2
    assert heat_table(heat)["hours"][-1] == "23"
    assert heat_table([[0] * 24 for _ in range(7)]) == {"hours": [], "rows": []}


def test_many_administrators_are_drawn_up_to_a_dozen() -> None:
    names = [f"Администратор {n:02d}" for n in range(40)]
    content = content_of(many_calls(400, administrators=names))
    part = call_bars(content.administrators)
    assert len(part["rows"]) == 12
    assert part["note"] == "И ещё 28 — в таблице"


def test_highlights_need_enough_calls() -> None:
    assert highlights(content_of([make_call(n) for n in range(4)])) == []


def test_highlights_name_the_best_and_the_weakest() -> None:
    calls = [
        make_call(
            n,
            administrator="Анна" if n < 5 else "Яна",
            source="Сайт" if n < 5 else "Яндекс",
            converted=n in (0, 1, 9),
            analysis=make_analysis(
                overall=5.0 if n < 5 else 9.0, scores={"greeting": 9, "speech": 4}
            ),
        )
        for n in range(10)
    ]
    found = {one["label"]: _plain(one["text"]) for one in highlights(content_of(calls))}
    assert found == {
        "Лучшая конверсия": "Анна — 40,0 % (5 звонков)",
        "Лучшее качество": "Яна — FG 90,0 % (5 звонков)",
        "Больше всего записей": "Сайт — 2 записи, конверсия 40,0 %",
        "Сильная сторона": "«Приветствие» (первичка) — 9,0 из 10",
        "Зона внимания": "«Речь» (первичка) — 4,0 из 10",
        "Пик нагрузки": "вторник, 12:00–13:00 — 10 звонков",
    }


def test_unknown_people_and_sources_are_never_praised() -> None:
    calls = [
        make_call(
            n,
            administrator="Неизвестный администратор" if n < 5 else "Яна",
            source="Неопределенный" if n < 5 else "Сайт",
            converted=n < 5,
        )
        for n in range(10)
    ]
    labels = {one["label"] for one in highlights(content_of(calls))}
    assert labels.isdisjoint({"Лучшая конверсия", "Лучшее качество", "Больше всего записей"})


def test_advice_is_capped_with_a_note() -> None:
    calls = [make_call(n) for n in range(MAX_CALLS + 1)]
    part = advice_part(content_of(calls, period=DayRange(date(2026, 9, 1), date(2026, 9, 1))))
    assert sum(len(person["calls"]) for person in part["people"]) == MAX_CALLS
    assert _plain(part["note"]) == "Показаны первые 3 000 звонков из 3 001, все — в Excel."


def test_markdown_becomes_blocks_of_runs() -> None:
    text = "## Итог\n\nСлово **важно** тут\n- пункт\n2. второй\n---\n<b>как есть</b> #панель"
    assert [
        (block["kind"], "".join(run["text"] for run in block["runs"])) for block in blocks(text)
    ] == [
        ("heading", "Итог"),
        ("text", "Слово важно тут"),
        ("item", "пункт"),
        ("item", "второй"),
        ("text", "<b>как есть</b> #панель"),
    ]
    assert [run["bold"] for run in blocks(text)[1]["runs"]] == [False, True, False]
