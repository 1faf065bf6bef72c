"""The printed report of administrators and the charts as pictures, read back; hostile content."""

import io
import re
import struct
import zlib
from datetime import date

import pytest
from pypdf import PdfReader
from tests.fixtures.report_calls import (
    AUGUST,
    CLINIC,
    content_of,
    make_analysis,
    make_call,
    many_calls,
    people_of_calls,
)

from medai.calls.models import Call
from medai.reports.excel import render_excel
from medai.reports.models import Chart, ReportClinic
from medai.reports.pdf import render_chart, render_pdf, render_people

WORD = "ж" * 300
HOSTILE = (
    '=HYPERLINK("http://evil.example","x") javascript:alert(1) <img src=x> #panic() $x$ *я* '
    "\u202eобман\u202c \x00"
)


def _text(pdf: bytes) -> str:
    texts = (page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    return re.sub(r"\s+", " ", " ".join(texts).replace("\u200b", ""))


def _links(pdf: bytes) -> set[str]:
    return {
        str(reference.get_object()["/A"]["/URI"])
        for page in PdfReader(io.BytesIO(pdf)).pages
        for reference in page.get("/Annots", [])
    }


def _picture(png: bytes) -> tuple[int, int, int]:
    """Width, height and the number of different bytes of the pixels."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    data, place = b"", 8
    while place < len(png):
        (size,) = struct.unpack(">I", png[place : place + 4])
        if png[place + 4 : place + 8] == b"IDAT":
            data += png[place + 8 : place + 8 + size]
        place += size + 12
    return width, height, len(set(zlib.decompress(data)))


def test_each_administrator_has_figures_trend_and_quotes_with_links() -> None:
    calls = [
        make_call(
            n,
            administrator="Анна" if n % 2 else "Яна",
            converted=n < 4,
            analysis=make_analysis(scores={"greeting": 9, "speech": n % 2 + 3, "price": 0}),
        )
        for n in range(20)
    ]
    calls.append(make_call(20, administrator="Анна", business_day=date(2026, 9, 7)))
    pdf = render_people(people_of_calls(calls, [make_call(1, business_day=AUGUST.first)]))
    text = _text(pdf)
    for shown in (
        "Отчёт по администраторам",
        "Анна · 11 звонков",
        "Неделя 36 Неделя 37",
        "Общая оценка 8,0 — Звонков 10 1 Записей в CRM 2 0",
        "Сильнее всего",
        "Приветствие · 11 звонков 8,9 «Сказано о greeting» 01.09.2026 12:00, 1:05, первичка, "
        "оценка 9",
        "Цена · 10 звонков 0,0 Замечание о price 01.09.2026 12:00, первичка, оценка 0",
    ):
        assert shown in text
    assert all(link.startswith("https://medai.example/api/transcriptions/") for link in _links(pdf))
    assert _links(pdf)


def test_the_only_week_of_an_administrator_is_not_told_again() -> None:
    text = _text(render_people(people_of_calls([make_call(n) for n in range(4)])))
    assert "Неделя" not in text
    assert "Цитаты" not in text  # nobody is quoted below five calls


def test_alike_names_are_told_apart_by_their_clinics() -> None:
    clinics = (CLINIC, ReportClinic("c2", "Клиника «Сосна»", CLINIC.zone))
    calls = [make_call(n, client_id="c1" if n < 5 else "c2", converted=n < 7) for n in range(10)]
    text = _text(render_pdf(content_of(calls, clinics=clinics)))
    assert "Лучшая конверсия Мария Иванова, Клиника «Ёлка» — 100,0 % (5 звонков)" in text
    assert "Звонки Мария Иванова Клиника «Ёлка» 5 Мария Иванова Клиника «Сосна» 5" in text


def test_below_five_scored_calls_the_block_says_why_it_is_silent() -> None:
    text = _text(render_people(people_of_calls([make_call(n) for n in range(4)])))
    assert "Сильнее всего" not in text
    assert "нужно хотя бы 5 оценённых звонков" in text


@pytest.mark.parametrize("calls", [[], many_calls(0)])
def test_an_empty_period_is_one_polite_page(calls: list[Call]) -> None:
    for pdf in (render_people(people_of_calls(calls)), render_pdf(content_of(calls))):
        assert len(PdfReader(io.BytesIO(pdf)).pages) == 1
        assert "За этот период нет звонков с оценкой." in _text(pdf)
        assert "Выберите другой период" in _text(pdf)


@pytest.mark.parametrize("chart", list(Chart))
def test_charts_are_pictures_of_one_width(chart: Chart) -> None:
    content = content_of(many_calls(60))
    width, height, colours = _picture(render_chart(content, chart))
    assert (width, 300 < height < 1000, colours > 50) == (1165, True, True)
    assert render_chart(content, chart) == render_chart(content, chart)
    for few in ([], [make_call(1)]):
        assert _picture(render_chart(content_of(few), chart))[0] == 1165


def _hostile_calls() -> list[Call]:
    names = [HOSTILE, WORD, *[f"Администратор {n:02d}" for n in range(38)]]
    calls = []
    for n, call in enumerate(many_calls(400, administrators=names)):
        assert call.analysis
        texts = (HOSTILE, WORD) if n % 3 == 0 else call.analysis.recommendations
        kind = call.analysis.call_type if n % 9 else WORD
        changes = {"recommendations": texts, "call_type": kind}
        calls.append(
            call.model_copy(
                update={
                    "source": (HOSTILE, WORD, "Сайт")[n % 3],
                    "analysis": call.analysis.model_copy(update=changes),
                }
            )
        )
    return calls


def test_hostile_names_of_forty_administrators_do_no_harm() -> None:
    calls = _hostile_calls()
    clinic = ReportClinic("c1", HOSTILE + WORD, CLINIC.zone)
    content = content_of(calls, clinics=(clinic,), previous=calls, summary=f"# {HOSTILE}\n- {WORD}")
    for pdf in (render_pdf(content), render_people(people_of_calls(calls, calls))):
        text = _text(pdf)
        assert all(f"Администратор {n:02d}" in text for n in range(38))
        assert all(link.startswith("https://medai.example/api/") for link in _links(pdf))
        reader = PdfReader(io.BytesIO(pdf))
        assert not {"/OpenAction", "/AA", "/Names", "/AcroForm"} & set(reader.root_object)
        assert {
            one.get_object()["/A"]["/S"] for p in reader.pages for one in p.get("/Annots", [])
        } == {"/URI"}
        assert "\u202e" not in text
    for chart in Chart:
        assert _picture(render_chart(content, chart))[0] == 1165
    assert render_excel(content).startswith(b"PK")


def test_five_thousand_calls_are_all_counted_and_printed_as_far_as_there_is_room() -> None:
    calls = many_calls(5000, administrators=[f"Администратор {n:02d}" for n in range(40)])
    text = _text(render_pdf(content_of(calls)))
    assert "Звонки 5 000" in text
    advised = sum(bool(call.analysis and call.analysis.recommendations) for call in calls)
    assert re.search(
        rf"Показаны последние \d \d{{3}} звонк\w+ из {advised:,}".replace(",", " "), text
    )
    assert len(re.findall("Расшифровка", text)) <= 2000
    assert text.count("Администратор 39") > 1
