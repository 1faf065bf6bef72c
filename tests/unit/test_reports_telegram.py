"""The report as a Telegram message: the figures of the other forms, and only our own tags."""

import re

from tests.fixtures.report_calls import AUGUST, CLINIC, content_of, make_call, many_calls

from medai.reports.models import ReportClinic
from medai.reports.telegram import telegram_text


def test_the_message_has_the_figures_and_their_change() -> None:
    calls = [make_call(n, converted=n < 2) for n in range(5)]
    before = [make_call(n, business_day=AUGUST.first) for n in range(4)]
    text = telegram_text(content_of(calls, previous=before)).replace("\u00a0", " ")
    assert text.splitlines()[:9] == [
        "<b>Клиника «Ёлка»</b>",
        "Отчёт по звонкам, сентябрь 2026",
        "",
        "Звонки: <b>5</b> (▲ +25,0 %)",
        "Входящие: <b>5</b> (▲ +25,0 %)",
        "Исходящие: <b>0</b>",
        "Общая длительность, мин: <b>5:00</b> (▲ +25,0 %)",
        "Конверсия: <b>40,0 %</b> (▲ +40,0 п. п.)",
        "FG %: <b>80,0 %</b> (без изменений)",
    ]
    assert text.endswith("<i>Изменения — к периоду 02.08.2026 – 31.08.2026</i>")


def test_an_empty_period_is_said_politely() -> None:
    assert telegram_text(content_of([])).endswith("За этот период нет звонков с оценкой.")


def test_hostile_names_bring_no_tags_and_no_endless_message() -> None:
    hostile = '<a href="javascript:x">и</a> & \u202e\x00' + "ж" * 5000
    names = [hostile, "Анна"]
    calls = [
        call.model_copy(update={"source": hostile}) for call in many_calls(60, administrators=names)
    ]
    clinics = (ReportClinic("c1", hostile, CLINIC.zone),)
    text = telegram_text(content_of(calls, clinics=clinics, previous=calls))
    assert set(re.findall(r"<[^>]*>", text)) <= {"<b>", "</b>", "<i>", "</i>"}
    assert not {"\u202e", "\x00", "\u200b"} & set(text)
    assert len(text) < 4096
