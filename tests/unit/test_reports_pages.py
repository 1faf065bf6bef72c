import re
from datetime import date, timedelta
from importlib.resources import files
from itertools import pairwise

import pytest
from tests.fixtures.report_calls import (
    AUGUST,
    MOSCOW,
    NOON,
    content_of,
    make_analysis,
    make_call,
    many_calls,
)

from medai.kit.days import DayRange
from medai.reports.glossary import GLOSSARY
from medai.reports.models import DayPoint, ReportContent
from medai.reports.pages.advice import MAX_CALLS, advice_part
from medai.reports.pages.cards import cards
from medai.reports.pages.charts import call_bars, funnel_bars, heat_table, loss_bars, share_ring
from medai.reports.pages.document import document
from medai.reports.pages.highlights import highlights
from medai.reports.pages.lines import day_ticks, group_lines, line_chart, score_lines, spark
from medai.reports.pages.markdown import blocks
from medai.reports.pages.parts import printable


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
    assert line_chart(points)["ticks"] == ticks
    assert day_ticks(highest) == (int(ticks[-1]), ticks)


def test_long_periods_are_drawn_by_week_and_lose_no_call() -> None:
    start = date(2026, 1, 1)
    points = [DayPoint(start + timedelta(days=n), 2, 1) for n in range(365)]
    chart = line_chart(points)
    assert chart["unit"] == "неделям"
    top = int(chart["ticks"][-1])
    for series, total in zip(chart["series"], (730, 365), strict=True):
        (run,) = series["runs"]
        assert len(run["points"]) == 53
        assert sum(y for _, y in run["points"]) * top == pytest.approx(total)
    assert len(chart["labels"]) <= 10


def test_a_line_stops_where_there_is_no_score_and_goes_on_after_it() -> None:
    assert spark([5.0, None, 10.0, 0.0]) == [
        {"points": [[0.0, 0.5]]},
        {"points": [[2 / 3, 1.0], [1.0, 0.0]]},
    ]
    assert spark([None, 7.0]) == spark([]) == []


def test_lines_of_sources_are_the_five_largest_on_one_axis() -> None:
    content = content_of([make_call(n, source=f"Источник {n % 7}") for n in range(20)])
    part = group_lines(content.days, content.source_days)
    assert [one["name"] for one in part["series"]] == [f"Источник {n}" for n in range(5)]
    assert part["series"][0]["runs"][0]["points"][0] == [0.0, 3 / int(part["ticks"][-1])]


def test_scores_by_week_leave_out_weeks_without_calls_of_the_type() -> None:
    second = make_analysis(call_type_id=2, call_type="вторичка", overall=6.0)
    calls = [
        make_call(1),
        make_call(2, business_day=date(2026, 9, 14)),
        make_call(3, business_day=date(2026, 9, 7), analysis=second),
    ]
    content = content_of(calls)
    everything, first, repeat = score_lines(content.weeks, content.criteria)["series"]
    assert [y for run in everything["runs"] for _, y in run["points"]] == [0.8, 0.6, 0.8]
    assert [run["points"] for run in first["runs"]] == [[[0.0, 0.8]], [[1.0, 0.8]]]
    assert [run["points"] for run in repeat["runs"]] == [[[0.5, 0.6]]]


def test_the_ring_closes_and_gathers_small_sources() -> None:
    content = content_of([make_call(n, source=f"Источник {n % 9}") for n in range(18)])
    part = share_ring(content.sources)
    assert [one["label"] for one in part["slices"]][-1] == "Остальные, 3"
    assert part["slices"][0]["from"] == 0
    assert part["slices"][-1]["to"] == pytest.approx(1)
    assert all(a["to"] == b["from"] for a, b in pairwise(part["slices"]))
    assert (part["total"], part["noun"]) == ("18", "звонков")


def test_the_funnel_counts_whoever_came_at_least_so_far() -> None:
    scores = [
        {"needs_identification": 2, "service_presentation": 0, "appointment": 0},
        {"needs_identification": 8, "service_presentation": 0, "appointment": 0},
        {"needs_identification": 0, "service_presentation": 0, "appointment": 10},
        {"needs_identification": 0, "service_presentation": 0, "appointment": 0},
    ]
    calls = [
        make_call(n, converted=n == 3, analysis=make_analysis(scores=one))
        for n, one in enumerate(scores)
    ]
    other = make_call(9, analysis=make_analysis(call_type_id=4, call_type="подтверждение"))
    content = content_of([*calls, other])
    assert [step.calls for step in content.funnel] == [4, 3, 2, 2, 1]
    assert [_plain(row["value"]) for row in funnel_bars(content.funnel)["rows"]] == [
        "4 · 100,0 %", "3 · 75,0 %", "2 · 50,0 %", "2 · 50,0 %", "1 · 25,0 %",
    ]  # fmt: skip
    assert content_of([other]).funnel == ()


def test_reasons_are_told_of_calls_that_could_have_led_to_a_booking() -> None:
    lost = make_analysis(scores={"appointment": 0, "objection_handling": None, "next_step": 4})
    calls = [
        make_call(1, analysis=lost),
        make_call(2, analysis=make_analysis(scores={"appointment": 10, "next_step": 4})),
        make_call(3, analysis=make_analysis(scores={"appointment": 10})),
        make_call(4, converted=True, analysis=lost),
        make_call(5, analysis=lost.model_copy(update={"call_type_id": 4})),
    ]
    part = loss_bars(content_of(calls).losses)
    assert [(row["label"], _plain(row["value"])) for row in part["rows"]] == [
        ("Нет следующего шага", "2 · 66,7 %"),
        ("Запись не предложена", "1 · 33,3 %"),
        ("Ничего из перечисленного", "1 · 33,3 %"),
    ]


def test_the_heat_table_shows_the_working_day_and_wider_if_used() -> None:
    heat = [[0] * 24 for _ in range(7)]
    heat[0][8], heat[6][11] = 4, 1
    part = heat_table(heat, AUGUST)
    assert part["hours"] == [str(hour) for hour in range(8, 18)]
    assert part["rows"][0]["cells"][0] == {"count": 4, "share": 1.0}
    assert part["rows"][6]["cells"][3] == {"count": 1, "share": 0.25}
    heat[3][23] = 2
    assert heat_table(heat, AUGUST)["hours"][-1] == "23"
    assert heat_table([[0] * 24 for _ in range(7)], AUGUST) == {"hours": [], "rows": []}
    tuesday = DayRange(date(2026, 9, 1), date(2026, 9, 1))
    assert [row["name"] for row in heat_table(heat, AUGUST)["rows"]] == [
        *["Пн", "Вт", "Ср", "Чт", "Пт", "Сб", "Вс"]
    ]
    assert [row["name"] for row in heat_table([heat[1], heat[0], *heat[2:]], tuesday)["rows"]] == [
        "Вт", "Чт", "Вс",
    ]  # fmt: skip


def test_many_administrators_are_drawn_up_to_a_dozen() -> None:
    names = [f"Администратор {n:02d}" for n in range(40)]
    content = content_of(many_calls(400, administrators=names))
    part = call_bars(content.administrators)
    assert len(part["rows"]) == 12
    assert part["note"] == "И ещё 28 — в таблице отчёта"


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
        "Больше всего записей": "Сайт — 2 записи в CRM, конверсия 40,0 %",
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
    assert _plain(part["note"]) == "Показаны последние 2 000 звонков из 2 001, все — в Excel."


def test_capped_advice_is_shared_fairly_and_keeps_the_last_calls() -> None:
    people = ["Анна"] * 2500 + ["Борис"] * 1500 + ["Вера"] * 10
    calls = [
        make_call(n, administrator=name, started_at=NOON + timedelta(minutes=n))
        for n, name in enumerate(people)
    ]
    part = advice_part(content_of(calls))
    assert [len(person["calls"]) for person in part["people"]] == [995, 995, 10]
    assert part["people"][0]["count"].replace("\u00a0", " ") == "2 500 звонков"
    last = (NOON + timedelta(minutes=2499)).astimezone(MOSCOW).strftime("%d.%m.%Y %H:%M")
    assert part["people"][0]["calls"][-1]["at"] == last


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


def _terms(content: ReportContent) -> list[str]:
    return [one["term"] for one in document(content)["glossary"]]


def test_the_glossary_explains_only_what_the_report_uses() -> None:
    everything = [term for term, _ in GLOSSARY]
    lost = make_analysis(scores={"appointment": 0})
    calls = [make_call(1, analysis=lost), make_call(2, business_day=date(2026, 9, 14))]
    before = [make_call(1, business_day=AUGUST.first, converted=True)]
    assert _terms(content_of(calls, previous=before)) == everything
    assert set(everything) - set(_terms(content_of(calls))) == {"п. п."}
    assert set(everything) - set(_terms(content_of(calls[:1]))) == {"п. п.", "Неделя"}
    assert _terms(content_of([])) == ["Звонки", "Конверсия", "FG %", "Скорость обработки"]


@pytest.mark.parametrize(
    ("given", "printed"),
    [
        ("Мария 😀 Иванова", "Мария Иванова"),
        ("👩‍⚕️ Ромашка", "Ромашка"),
        ("1️⃣ Шаг ⭐", "1 Шаг"),
        ("✓ спросила ❤, имя №5 — «да»", "✓ спросила ❤, имя №5 — «да»"),
        ("\x00plain", "\ufffdplain"),
    ],
)
def test_pictures_that_the_type_lacks_are_left_out(given: str, printed: str) -> None:
    assert printable(given) == printed


def test_lightness_tells_neighbouring_colours_apart() -> None:
    theme = (files("medai.reports") / "templates" / "theme.typ").read_text()
    accent = re.findall(r'#let accent = rgb\("#(\w+)"\)', theme)
    line = next(line for line in theme.splitlines() if line.startswith("#let palette"))
    palette = [bytes.fromhex(one) for one in accent + re.findall(r"#(\w{6})", line)]
    light = [0.299 * red + 0.587 * green + 0.114 * blue for red, green, blue in palette]
    assert len(light) == 7
    assert min(abs(a - b) for a, b in pairwise([*light, light[0]])) > 30
