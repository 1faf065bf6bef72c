"""The workbook, read back with openpyxl: sheets, numbers, formats, links, hostile text."""

import io
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from openpyxl import load_workbook
from openpyxl.workbook import Workbook
from tests.fixtures.report_calls import (
    AUGUST,
    CLINIC,
    MOSCOW,
    NOON,
    SEPTEMBER,
    content_of,
    make_analysis,
    make_call,
    many_calls,
)

from medai.calls.models import Call, Direction
from medai.reports.content import build_content
from medai.reports.excel import render_excel
from medai.reports.models import ReportClinic

SHEETS = [
    "Сводная информация", "Администраторы", "Источники", "Типы звонков", "Оценки по неделям",
    "Рекомендации", "Общие рекомендации",
]  # fmt: skip


def _read(xlsx: bytes) -> Workbook:
    return load_workbook(io.BytesIO(xlsx))


def _rows(book: Workbook, sheet: str) -> Iterator[tuple[Any, ...]]:
    yield from book[sheet].iter_rows(values_only=True)


def _fg(calls: list[Call]) -> float:
    overalls = [c.analysis.overall for c in calls if c.analysis and c.analysis.overall > 0]
    return sum(overalls) / len(overalls) / 10


def _conversion(calls: list[Call]) -> float:
    return sum(call.converted for call in calls) / len(calls)


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    return many_calls(200)


@pytest.fixture(scope="module")
def book(calls: list[Call]) -> Workbook:
    before = many_calls(50, seed=2, period=AUGUST)
    return _read(render_excel(content_of(calls, previous=before, summary="## Итог\n- пункт")))


def test_sheets_have_the_names_and_order_of_the_contract(book: Workbook) -> None:
    assert book.sheetnames == SHEETS


def test_the_summary_equals_plain_counting(calls: list[Call], book: Workbook) -> None:
    cells = {row[0]: row[1] for row in _rows(book, "Сводная информация") if row[0]}
    seconds = sum(call.duration_seconds for call in calls)
    speeds = [c.processing_speed_minutes for c in calls if c.processing_speed_minutes]
    assert cells["Клиника"] == "Клиника «Ёлка»"
    assert cells["Период"] == "01.09.2026 – 30.09.2026"
    assert cells["Создан"] == "01.10.2026 09:00"
    assert cells["Показатель"] == "Значение"
    assert cells["Всего звонков"] == 200
    assert cells["Входящие звонки"] == sum(c.direction is Direction.INBOUND for c in calls)
    assert cells["Исходящие звонки"] == sum(c.direction is Direction.OUTBOUND for c in calls)
    assert cells["Записи в CRM"] == sum(c.converted for c in calls)
    assert cells["Конверсия, %"] == pytest.approx(_conversion(calls))
    assert cells["FG, %"] == pytest.approx(_fg(calls))
    assert cells["Скорость обработки, мин"] == pytest.approx(sum(speeds) / len(speeds))
    assert cells["Общая длительность, мин:сек"] == timedelta(seconds=seconds)
    mean = cells["Средняя длительность, мин:сек"].total_seconds()
    assert mean == pytest.approx(seconds / 200, abs=0.001)


def test_the_summary_lists_every_day(calls: list[Call], book: Workbook) -> None:
    days = [row for row in _rows(book, "Сводная информация") if isinstance(row[0], datetime)]
    assert len(days) == 30
    for moment, count, converted, share in days:
        own = [call for call in calls if call.business_day == moment.date()]
        assert (count, converted) == (len(own), sum(call.converted for call in own))
        assert share == (pytest.approx(converted / count) if count else None)


def test_administrators_have_conversions_by_direction_and_fg(
    calls: list[Call], book: Workbook
) -> None:
    head, *rows, total = _rows(book, "Администраторы")
    assert head[:8] == (
        "№", "Администратор", "Всего звонков", "Входящие", "Исходящие",
        "Конверсия входящих, %", "Конверсия исходящих, %", "FG, %",
    )  # fmt: skip
    assert {row[1] for row in rows} == {call.administrator for call in calls}
    for number, row in enumerate([*rows, total], start=1):
        own = [c for c in calls if row[1] in (c.administrator, "Итого")]
        inbound = [call for call in own if call.direction is Direction.INBOUND]
        outbound = [call for call in own if call.direction is Direction.OUTBOUND]
        assert row[0] == (None if row is total else number)
        assert row[2:5] == (len(own), len(inbound), len(outbound))
        assert row[5:9] == pytest.approx(
            (_conversion(inbound), _conversion(outbound), _fg(own), _conversion(own))
        )


@pytest.mark.parametrize(
    ("sheet", "title"), [("Источники", "Источник"), ("Типы звонков", "Тип звонка")]
)
def test_sources_and_types_have_shares(
    calls: list[Call], book: Workbook, sheet: str, title: str
) -> None:
    head, *rows, total = _rows(book, sheet)
    assert head[:7] == (
        "№", title, "Звонков", "Доля, %", "Входящие", "Исходящие", "Конверсия, %",
    )  # fmt: skip
    assert sum(row[3] for row in rows) == pytest.approx(1)
    assert total[1:3] == ("Итого", 200)
    for row in rows:
        own = [c for c in calls if c.analysis and row[1] in (c.source, c.analysis.call_type)]
        assert row[2] == len(own)
        assert row[3] == pytest.approx(len(own) / 200)
        assert row[6] == pytest.approx(_conversion(own))


def test_weekly_scores_are_means_of_what_applied(calls: list[Call], book: Workbook) -> None:
    rows = list(_rows(book, "Оценки по неделям"))
    first = next(number for number, row in enumerate(rows) if str(row[0]).startswith("первичка"))
    head, week = rows[first + 1], rows[first + 2]
    assert week[:2] == ("Неделя 36", "31.08–06.09.2026")
    members = [
        c.analysis
        for c in calls
        if c.analysis and c.analysis.call_type == "первичка" and c.business_day.day <= 6
    ]
    assert week[2] == len(members)
    scores = [score for one in members if (score := one.scores["price"]) is not None]
    assert week[head.index("Цена")] == pytest.approx(sum(scores) / len(scores))
    overall = sum(one.overall for one in members) / len(members)
    assert week[head.index("Общая оценка")] == pytest.approx(overall)


def test_each_recommended_call_has_a_row_with_real_links(calls: list[Call], book: Workbook) -> None:
    head, *rows = book["Рекомендации"].iter_rows()
    assert [cell.value for cell in head][:5] == [
        "№", "Администратор", "Транскрибация", "Запись", "Рекомендации",
    ]  # fmt: skip
    advised = {c.id: c for c in calls if c.analysis and c.analysis.recommendations}
    assert len(rows) == len(advised)
    for row in rows:
        target = str(row[3].hyperlink and row[3].hyperlink.target)
        call = advised.pop(target.rsplit("/", 1)[1])
        assert call.analysis
        assert call.transcript
        assert row[2].value == row[3].value == "открыть"
        assert call.transcript.filename in str(row[2].hyperlink and row[2].hyperlink.target)
        assert row[1].value == call.administrator
        assert row[4].value == "\n".join(f"• {text}" for text in call.analysis.recommendations)
        assert row[4].alignment.wrap_text
        assert row[5].value == call.started_at.astimezone(MOSCOW).replace(tzinfo=None)
    assert advised == {}


def test_numbers_are_formatted_and_panes_frozen(book: Workbook) -> None:
    people = book["Администраторы"]
    assert people["F2"].number_format == "0.0%"
    assert people["C2"].number_format == "#,##0"
    assert people["J2"].number_format == "[m]:ss"
    assert people.freeze_panes == "C2"
    assert people.auto_filter.ref == "A1:J6"
    assert book["Рекомендации"].freeze_panes == "C2"


def test_long_sheets_print_their_titles_and_numbers_on_every_page(book: Workbook) -> None:
    for name in ("Администраторы", "Источники", "Типы звонков", "Рекомендации"):
        assert book[name].print_title_rows == "$1:$1"
    for sheet in book.worksheets:
        assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
        footer = sheet.oddFooter and sheet.oddFooter.right
        assert (sheet.page_setup.fitToHeight, footer and footer.text) == (0, "Стр. &P из &N")


def test_charts_are_native() -> None:
    with zipfile.ZipFile(io.BytesIO(render_excel(content_of(many_calls(20))))) as archive:
        charts = [name for name in archive.namelist() if name.startswith("xl/charts/chart")]
    assert len(charts) == 4


def test_common_advice_and_conclusions_share_the_last_sheet(book: Workbook) -> None:
    rows = list(_rows(book, "Общие рекомендации"))
    assert rows[0] == ("№", "Рекомендация", "Администраторов", "Звонков")
    assert rows[1][2] == 5
    assert [row[1] for row in rows[-3:]] == ["Выводы за период", "## Итог", "- пункт"]


def test_hostile_text_stays_text() -> None:
    hostile = [
        '=HYPERLINK("http://evil.example","x")',
        "+1",
        "-2",
        "@SUM(A1)",
        "http://evil.example",
    ]
    for text in hostile:
        analysis = make_analysis(recommendations=(text,), call_type=text)
        call = make_call(administrator=text, source=text, analysis=analysis)
        clinic = ReportClinic("c1", text, CLINIC.zone)
        book = _read(render_excel(content_of([call], clinics=(clinic,), summary=text)))
        for sheet, cell in (("Администраторы", "B2"), ("Источники", "B2"), ("Типы звонков", "B2"),
                            ("Рекомендации", "B2"), ("Сводная информация", "B2"),
                            ("Общие рекомендации", "B2")):  # fmt: skip
            found = book[sheet][cell]
            assert (found.value, found.data_type, found.hyperlink) == (text, "s", None)


class SignedLinks:
    """Every link that a report can hold, with what addresses escape."""

    transcript = "https://medai.example/api/t/а.txt?expires=1&signature=a%20b'c(d)"
    recording = "javascript:alert(1)"

    def transcript_url(self, call: Call) -> str:
        return self.transcript

    def recording_url(self, call: Call) -> str:
        return self.recording


def test_links_arrive_whole_and_other_schemes_never() -> None:
    content = build_content(
        [make_call()], SEPTEMBER, [CLINIC], created_at=NOON, links=SignedLinks()
    )
    row = _read(render_excel(content))["Рекомендации"][2]
    assert row[2].hyperlink
    assert unquote(str(row[2].hyperlink.target)) == unquote(SignedLinks.transcript)
    assert (row[3].hyperlink, row[3].value) == (None, None)


def test_unprintable_and_endless_texts_do_not_break_the_file() -> None:
    text = "нуль\x00 \ud800 \u202eобман " + "ж" * 40_000
    call = make_call(analysis=make_analysis(recommendations=(text,)))
    found = _read(render_excel(content_of([call])))["Рекомендации"]["E2"].value
    assert isinstance(found, str)
    assert found.startswith("• нуль\ufffd \ufffd обман жжж")
    assert len(found) == 32_767


def test_equal_content_gives_equal_bytes(calls: list[Call]) -> None:
    content = content_of(calls)
    assert render_excel(content) == render_excel(content)


def test_an_empty_period_makes_every_sheet() -> None:
    book = _read(render_excel(content_of([])))
    assert book.sheetnames == SHEETS
    assert next(_rows(book, "Оценки по неделям"))[0] == "Нет звонков с оценёнными критериями"


def test_several_clinics_are_told_apart() -> None:
    clinics = (CLINIC, ReportClinic("c2", "Клиника «Сосна»", MOSCOW))
    book = _read(
        render_excel(content_of([make_call(1), make_call(2, client_id="c2")], clinics=clinics))
    )
    _, *rows, _ = _rows(book, "Администраторы")
    assert [row[10] for row in rows] == ["Клиника «Ёлка»", "Клиника «Сосна»"]
