"""The printed PDF, read back with pypdf: every figure, hostile content, extreme sizes."""

import io
import re
from datetime import date

import pytest
from pypdf import PdfReader
from tests.fixtures.report_calls import (
    AUGUST,
    CLINIC,
    SEPTEMBER,
    content_of,
    make_analysis,
    make_call,
    many_calls,
)

from medai.calls.models import Call, Direction
from medai.kit.days import DayRange
from medai.reports.content import build_content
from medai.reports.models import ReportClinic
from medai.reports.pdf import render_pdf

ONE_DAY = DayRange(date(2026, 9, 1), date(2026, 9, 1))


def _pages(pdf: bytes) -> list[str]:
    """Texts of the pages with plain single spaces and without invisible break points."""
    texts = (page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    return [re.sub(r"\s+", " ", text.replace("\u200b", "")) for text in texts]


def _links(pdf: bytes) -> list[str]:
    found = []
    for page in PdfReader(io.BytesIO(pdf)).pages:
        for reference in page.get("/Annots", []):
            found.append(str(reference.get_object()["/A"]["/URI"]))
    return found


def _percent(value: float) -> str:
    return f"{value:.1f}".replace(".", ",") + " %"


def _length(seconds: float) -> str:
    return f"{round(seconds) // 60}:{round(seconds) % 60:02d}"


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    return many_calls(60)


@pytest.fixture(scope="module")
def pdf(calls: list[Call]) -> bytes:
    summary = "## Итог недели\n- **Сильная** сторона: приветствие"
    before = many_calls(50, seed=2, period=AUGUST)
    return render_pdf(content_of(calls, previous=before, summary=summary))


def test_the_cover_holds_the_key_figures(calls: list[Call], pdf: bytes) -> None:
    cover = _pages(pdf)[0]
    overalls = [c.analysis.overall for c in calls if c.analysis and c.analysis.overall > 0]
    speeds = [c.processing_speed_minutes for c in calls if c.processing_speed_minutes]
    seconds = sum(c.duration_seconds for c in calls)
    mean_speed = f"{sum(speeds) / len(speeds):.1f}".replace(".", ",")
    for shown in (
        "Отчёт по звонкам",
        "Клиника «Ёлка»",
        "сентябрь 2026",
        "Звонки 60",
        f"Входящие {sum(c.direction is Direction.INBOUND for c in calls)}",
        f"Исходящие {sum(c.direction is Direction.OUTBOUND for c in calls)}",
        f"Общая длительность, мин {_length(seconds)}",
        f"Средний звонок, мин {_length(seconds / 60)}",
        f"Конверсия {_percent(sum(c.converted for c in calls) / 60 * 100)}",
        f"FG % {_percent(sum(overalls) / len(overalls) * 10)}",
        f"Скорость обработки {mean_speed} мин",
        "Сформирован 01.10.2026 09:00",
        "Изменения — к периоду 02.08.2026 – 31.08.2026",
    ):
        assert shown in cover


def test_the_administrators_table_holds_conversions_and_not_fg(
    calls: list[Call], pdf: bytes
) -> None:
    text = " ".join(_pages(pdf))
    for name in {call.administrator for call in calls}:
        own = [call for call in calls if call.administrator == name]
        inbound = [call for call in own if call.direction is Direction.INBOUND]
        outbound = [call for call in own if call.direction is Direction.OUTBOUND]
        overalls = [c.analysis.overall for c in own if c.analysis and c.analysis.overall > 0]
        row = " ".join(
            (
                f"{len(own)} {len(inbound)} {len(outbound)}",
                *(
                    _percent(sum(c.converted for c in part) / len(part) * 100)
                    for part in (own, inbound, outbound)
                ),
                _percent(sum(overalls) / len(overalls) * 10),
                _length(sum(c.duration_seconds for c in own) / len(own)),
            )
        )
        assert row in text


def test_sources_types_criteria_and_conclusions_are_printed(pdf: bytes) -> None:
    text = " ".join(_pages(pdf))
    for shown in (
        "Источники и типы звонков", "Рекомендация друзей", "первичка", "другое",
        "Нагрузка по дням недели и часам", "Оценки по критериям", "Выявление потребностей",
        "Неделя 36", "31.08–06.09", "Выводы за период", "Итог недели",
        "Сильная сторона: приветствие",
        "Общие рекомендации", "Рекомендации по звонкам", "Словарь показателей",
    ):  # fmt: skip
        assert shown in text


def test_each_page_is_numbered_and_headed(pdf: bytes) -> None:
    pages = _pages(pdf)
    for number, text in enumerate(pages, start=1):
        assert f"Стр. {number} из {len(pages)}" in text
    assert all("MedAI · Клиника «Ёлка»" in text for text in pages[1:])


def test_every_call_links_to_its_transcript_and_recording(calls: list[Call], pdf: bytes) -> None:
    advised = [call for call in calls if call.analysis and call.analysis.recommendations]
    links = _links(pdf)
    for call in advised:
        assert call.transcript
        assert any(call.transcript.filename in link for link in links)
        assert f"https://medai.example/api/calls/download/{call.id}" in links
    assert len(set(links)) == 2 * len(advised)


def test_a_table_that_goes_on_repeats_its_header_with_the_name() -> None:
    calls = [
        make_call(n, analysis=make_analysis(recommendations=(f"Совет номер {n}",) * 3))
        for n in range(60)
    ]
    pages = [text for text in _pages(render_pdf(content_of(calls))) if "Расшифровка" in text]
    assert len(pages) > 3
    for text in pages:
        assert "Мария Иванова · 60 звонков" in text
        assert "Звонок Оценка Рекомендации Открыть" in text


def test_a_list_that_ended_is_not_continued_in_the_header() -> None:
    for last in range(1, 16):  # one of them ends exactly with the page
        calls = [make_call(n, administrator="Анна") for n in range(20 + last)]
        calls += [make_call(n, administrator="Яна") for n in range(100, 140)]
        pages = _pages(render_pdf(content_of(calls)))
        heads = [text for text in pages if "Звонок Оценка Рекомендации Открыть" in text]
        for text in heads:
            anna, yana = ("Анна · " in text, "Яна · " in text)
            rows = text.count("Расшифровка")
            assert text.count("Звонок Оценка Рекомендации Открыть") == anna + yana <= rows
        assert "Звонок Оценка" not in pages[-1] or "Яна · 40 звонков" in pages[-1]


def test_a_recommendation_longer_than_a_page_goes_on_on_the_next() -> None:
    words = [f"слово{n}" for n in range(2500)]
    calls = [make_call(1, analysis=make_analysis(recommendations=(" ".join(words),)))]
    text = " ".join(_pages(render_pdf(content_of(calls))))
    assert [word for word in words if f"{word} " not in text] == []


def test_equal_content_gives_equal_bytes(calls: list[Call], pdf: bytes) -> None:
    content = content_of(calls)
    assert render_pdf(content) == render_pdf(content)
    assert b"CreationDate(D:20261001060000Z)" in pdf


def test_an_empty_period_says_so() -> None:
    pages = _pages(render_pdf(content_of([])))
    assert "За этот период нет звонков с оценкой." in pages[0]
    assert "Конверсия —" in pages[0]


@pytest.mark.parametrize("count", [1, 2])
def test_one_day_with_hardly_any_calls_is_printed(count: int) -> None:
    calls = [make_call(n) for n in range(count)]
    text = " ".join(_pages(render_pdf(content_of(calls, period=ONE_DAY))))
    assert f"Звонки {count}" in text
    assert "1 сентября 2026" in text


def test_forty_administrators_are_all_in_the_table() -> None:
    names = [f"Администратор {n:02d}" for n in range(40)]
    text = " ".join(_pages(render_pdf(content_of(many_calls(400, administrators=names)))))
    assert all(name in text for name in names)
    assert "И ещё 28 — в таблице" in text


def test_a_year_of_weeks_is_printed_in_parts() -> None:
    year = DayRange(date(2026, 1, 1), date(2026, 12, 31))
    text = " ".join(_pages(render_pdf(content_of(many_calls(300, period=year), period=year))))
    assert "Звонки и записи в CRM по неделям" in text
    assert all(f"Неделя {week}" in text for week in range(1, 54))


def test_numbers_that_differ_between_pages_are_explained() -> None:
    other = make_analysis(call_type="другое", call_type_id=5, scores={}, recommendations=())
    calls = [make_call(n) for n in range(10)]
    calls += [make_call(n, analysis=other, direction=Direction.UNKNOWN) for n in range(10, 12)]
    text = " ".join(_pages(render_pdf(content_of(calls))))
    for shown in (
        "Мария Иванова 12 10 0",
        "Мария Иванова · 10 звонков с рекомендациями из 12",
        "Рекомендации есть к 10 звонкам из 12; к звонкам типа «другое» они не даются.",
        "Критерии применены к 10 звонкам из 12; звонки типа «другое» по ним не оцениваются.",
        "У 2 звонков направление неизвестно",
    ):
        assert shown in text
    plain = " ".join(_pages(render_pdf(content_of(calls[:10]))))
    assert "Мария Иванова · 10 звонков Звонок Оценка" in plain
    for absent in ("Рекомендации есть к", "Критерии применены", "направление неизвестно"):
        assert absent not in plain


def test_one_week_is_told_once() -> None:
    calls = [make_call(n) for n in range(3)]
    week = " ".join(_pages(render_pdf(content_of(calls))))
    assert "Критерий За период Приветствие 8,0 Общая оценка 8,0" in week
    assert "Неделя" not in week
    later = make_call(9, business_day=date(2026, 9, 7))
    weeks = " ".join(_pages(render_pdf(content_of([*calls, later]))))
    assert "Критерий За период Неделя 36 31.08–06.09 Неделя 37 07.09–13.09" in weeks
    assert "Неделя Календарная неделя" in weeks


def test_bookings_are_never_called_as_a_criterion_is(pdf: bytes) -> None:
    text = " ".join(_pages(pdf))
    assert "Записи в CRM" in text
    assert re.findall(r"Записи(?! в CRM)", text) == []
    assert "Критерии «Запись» и «Запись на прием» — другое" in text


HOSTILE = '#panic("x") #import "secret" $x^2$ *жирно* _курсив_ `код` <b>тег</b> \\ @ссылка // конец'


def test_hostile_text_is_printed_as_it_stands() -> None:
    analysis = make_analysis(call_type=HOSTILE, recommendations=(HOSTILE, "нуль\x00 и \u202eобман"))
    call = make_call(administrator=HOSTILE, source=HOSTILE, analysis=analysis)
    clinic = ReportClinic("c1", HOSTILE, CLINIC.zone)
    pdf = render_pdf(content_of([call], clinics=(clinic,), summary=HOSTILE))
    squeezed = "".join(_pages(pdf)).replace(" ", "").replace("\u00ad", "")
    assert squeezed.count('#panic("x")#import"secret"$x^2$*жирно*_курсив_`код`<b>тег</b>') >= 3
    assert "нуль\ufffdиобман" in squeezed


@pytest.mark.parametrize("word", ["ж" * 300, "🙂" * 50, "W" * 300])
def test_an_endless_word_stays_on_the_page(word: str) -> None:
    call = make_call(
        administrator=word, source=word, analysis=make_analysis(recommendations=(word,))
    )
    clinic = ReportClinic("c1", word, CLINIC.zone)
    reader = PdfReader(io.BytesIO(render_pdf(content_of([call], clinics=(clinic,)))))
    edges = []

    def note(text: str, _ctm: list[float], matrix: list[float], _font: object, size: float) -> None:
        if text.strip():
            edges.append(matrix[4])

    for page in reader.pages:
        page.extract_text(visitor_text=note)
    assert edges
    assert max(edges) < reader.pages[0].mediabox.right


def test_only_web_addresses_become_links() -> None:
    class Hostile:
        def transcript_url(self, call: Call) -> str | None:
            return "javascript:alert(1)"

        def recording_url(self, call: Call) -> str | None:
            return "file:///etc/passwd"

    content = build_content(
        [make_call()], SEPTEMBER, [CLINIC],
        created_at=make_call().started_at, links=Hostile(),
    )  # fmt: skip
    assert _links(render_pdf(content)) == []
