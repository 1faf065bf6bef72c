"""The report flow of the bot: period, people, confirmation, picture and files."""

import asyncio
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from aiogram import Bot
from pypdf import PdfReader
from tests.fixtures.bot_chat import ADMINISTRATOR, OWN, Person, Talk, labels, text_of

from medai.access.audit import Opened
from medai.bot.errands import progress, report, runner
from medai.members.models import Role
from medai.processing.seats import ReportFile, Seat

OTHER = "Пётр <Петров>"
Deeds = Sequence[dict[str, Any]]


@pytest.fixture
async def person(talk: Talk) -> Person:
    await talk.library.add_done(101, administrator=ADMINISTRATOR)
    await talk.library.add_done(102, administrator=OTHER)
    return await talk.member("owner", Role.OWNER)


async def ended(person: Person) -> Deeds:
    """All that the bot shows until the report is ready or has failed."""
    found: list[dict[str, Any]] = []
    while not found or not text_of(found[-1]).startswith(("✅", "⚠️", "Остановлено")):
        found += await person.hear(1)
    return found


def documents(deeds: Deeds) -> list[str]:
    return [
        one["message"]["document"]["file_name"] for one in deeds if "document" in one["message"]
    ]


def sheet_words(content: bytes) -> str:
    book = openpyxl.load_workbook(BytesIO(content))
    return " ".join(
        str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row
    )


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("Неделя", "13–19\N{NO-BREAK SPACE}ноября 2026"),
        ("Месяц", "21\N{NO-BREAK SPACE}октября – 19\N{NO-BREAK SPACE}ноября 2026"),
        ("Квартал", "22\N{NO-BREAK SPACE}августа – 19\N{NO-BREAK SPACE}ноября 2026"),
    ],
)
async def test_periods_end_today(person: Person, label: str, shown: str) -> None:
    (asked,) = await person.write("📊 Создать отчёт")
    assert labels(asked["message"])[:4] == ["Неделя", "Месяц", "Квартал", "Свои даты"]
    (people,) = await person.tap(label)
    assert shown in text_of(people)
    assert labels(people["message"])[:3] == ["Все администраторы", f"▫️ {ADMINISTRATOR}",
                                             f"▫️ {OTHER}"]  # fmt: skip
    (sure,) = await person.tap("Все администраторы")
    assert shown in text_of(sure)
    assert "Все администраторы" in text_of(sure)


async def test_a_report_of_everybody(talk: Talk, person: Person) -> None:
    await person.write("/report")
    await person.tap("Неделя")
    await person.tap("Все администраторы")
    await person.post("/telegram/tap", chat_id=person.id, label="✅ Создать")
    deeds = await ended(person)

    assert text_of(deeds[0]).startswith("⏳ Готовлю отчёт")
    assert [one["message"] for one in deeds if "photo" in one["message"]]
    assert documents(deeds) == [
        "Отчёт Ромашка 13.11.2026-19.11.2026.pdf",
        "Отчёт Ромашка 13.11.2026-19.11.2026.xlsx",
    ]
    pdf, workbook = [one["message"] for one in deeds if "document" in one["message"]]
    assert (await person.file(pdf)).startswith(b"%PDF")
    words = sheet_words(await person.file(workbook))
    assert ADMINISTRATOR in words
    assert OTHER in words
    last = deeds[-1]
    assert last["deed"] == "edited"
    assert last["message"]["message_id"] == deeds[0]["message"]["message_id"]
    found = [one async for one in talk.app.access_log.newest(OWN, 10)]
    assert {(one.by, one.what) for one in found} == {("telegram:501", Opened.REPORT)}
    assert len(found) == 2


async def test_a_report_of_chosen_people_holds_nobody_else(person: Person) -> None:
    await person.write("/report")
    await person.tap("Неделя")
    await person.tap(f"▫️ {OTHER}")
    (people,) = await person.tap(f"▫️ {ADMINISTRATOR}")
    assert "Выбрано: 2\N{NO-BREAK SPACE}администратора" in text_of(people)
    await person.tap(f"☑️ {ADMINISTRATOR}")
    (sure,) = await person.tap("Дальше")
    assert f"Только звонки: {OTHER}" in text_of(sure)
    assert "PDF по людям" in text_of(sure)
    await person.post("/telegram/tap", chat_id=person.id, label="✅ Создать")
    deeds = await ended(person)
    assert [name.partition(" ")[0] for name in documents(deeds)] == [
        "Отчёт",
        "Отчёт",
        "Администраторы",
    ]
    for message in (one["message"] for one in deeds if "document" in one["message"]):
        content = await person.file(message)
        if content.startswith(b"%PDF"):
            words = " ".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages)
        else:
            words = sheet_words(content)
        assert "Петров" in words
        assert "Иванова" not in words


async def test_an_administrators_report_is_about_themselves(talk: Talk, person: Person) -> None:
    own = await talk.member("administrator", Role.ADMINISTRATOR)
    await own.write("/report")
    (sure,) = await own.tap("Неделя")
    assert "Только ваши звонки" in text_of(sure)
    await own.post("/telegram/tap", chat_id=own.id, label="✅ Создать")
    deeds = await ended(own)
    for message in (one["message"] for one in deeds if "document" in one["message"]):
        content = await own.file(message)
        if not content.startswith(b"%PDF"):
            words = sheet_words(content)
            assert "Иванова" in words
            assert "Петров" not in words


async def test_own_dates_from_the_calendar(person: Person) -> None:
    await person.write("/report")
    (asked,) = await person.tap("Свои даты")
    shown = labels(asked["message"])
    assert shown[:8] == ["Ноябрь 2026", "Пн", "Вт", "Ср", "Чт", "Пт", "Сб", "Вс"]
    assert "20" not in shown  # tomorrow
    assert "▶️" not in shown
    (october,) = await person.tap("◀️")
    assert labels(october["message"])[0] == "Октябрь 2026"
    (asked,) = await person.tap("30")
    assert "Первый день: 30.10.2026" in text_of(asked)
    (people,) = await person.tap("19")
    assert "30\N{NO-BREAK SPACE}октября – 19\N{NO-BREAK SPACE}ноября 2026" in text_of(people)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        (["01.11.2026-10.11.2026"], "1–10\N{NO-BREAK SPACE}ноября 2026"),
        (["01.11.2026 — 19.11.2026"], "1–19\N{NO-BREAK SPACE}ноября 2026"),
        (["01.11.2026 – 19.11.2026"], "1–19\N{NO-BREAK SPACE}ноября 2026"),
        (["18.11.2026", "19.11.2026"], "18–19\N{NO-BREAK SPACE}ноября 2026"),
        (["19.11.2026", "18.11.2026"], "Дата начала позже даты окончания"),
        (["19.11.2025-20.11.2026"], "Отчёт не может кончаться в будущем"),
        (["01.01.2020-19.11.2026"], "Период длиннее 370 дней"),
        (["завтра"], "Неверная дата «завтра»"),
        (["20.11.2026"], "Отчёт не может кончаться в будущем"),
    ],
)
async def test_own_dates_in_words(person: Person, typed: list[str], shown: str) -> None:
    await person.write("/report")
    await person.tap("Свои даты")
    for words in typed:
        (told,) = await person.write(words)
    assert shown in text_of(told)


async def test_two_taps_make_one_report(person: Person) -> None:
    await person.write("/report")
    await person.tap("Неделя")
    await person.tap("Все администраторы")
    for _ in range(2):
        await person.post("/telegram/tap", chat_id=person.id, label="✅ Создать")
    deeds = [*await ended(person)]
    await person.write("/help")
    everything = await person.messages()
    assert len([one for one in everything if "document" in one]) == 2
    assert len([one for one in everything if "photo" in one]) == 1
    assert deeds
    assert "старого сообщения" not in str(person.heard)
    assert "✅ Создать" not in str(everything)


async def test_a_report_can_be_declined_and_stopped(person: Person) -> None:
    await person.write("/report")
    await person.tap("Неделя")
    await person.tap("Все администраторы")
    (told,) = await person.tap("✖️ Отмена")
    assert text_of(told) == "Отчёт отменён. Можно выбрать другой период."

    await person.tap("Неделя")
    await person.tap("Все администраторы")
    await person.post("/telegram/tap", chat_id=person.id, label="✅ Создать")
    await person.hear(2)
    await person.post("/telegram/messages", chat_id=person.id, text="отмена")
    told_last = await person.hear(2)
    assert {text_of(one) for one in told_last} == {"Остановлено.", "Отменено. Вы на главной."}
    assert not [one for one in await person.messages() if "document" in one]


async def test_a_period_without_scores_is_told(talk: Talk, person: Person) -> None:
    await person.write("/report")
    await person.tap("Свои даты")
    await person.write("01.11.2026-02.11.2026")
    await person.post("/telegram/tap", chat_id=person.id, label="✅ Создать")
    deeds = await ended(person)
    assert "нет звонков с оценкой" in text_of(deeds[-1])


async def test_a_file_that_telegram_does_not_take_becomes_a_link(
    talk: Talk, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "LARGEST_UPLOAD", 10)
    await person.write("/report")
    await person.tap("Неделя")
    await person.tap("Все администраторы")
    await person.post("/telegram/tap", chat_id=person.id, label="✅ Создать")
    deeds = await ended(person)
    assert documents(deeds) == []
    last = deeds[-1]["message"]
    assert "Файлы больше 45 МБ" in last["text"]
    urls = [one["url"] for one in last["entities"] if one["type"] == "text_link"]
    assert len(urls) == 2
    for url in urls:
        assert (await talk.library.doors.stranger.get(url)).status_code == 200


async def test_a_file_that_telegram_refuses_becomes_a_link(
    talk: Talk, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the limit were lower than we believe: 413 of one file keeps no other back."""
    grown = iter((b"0" * 51 * 1024 * 1024,))
    read = Seat.report_bytes

    async def large(seat: Seat, file: ReportFile) -> bytes:
        return next(grown, None) or await read(seat, file)

    monkeypatch.setattr(Seat, "report_bytes", large)
    await ask_for_all(person)
    deeds = await ended(person)
    assert documents(deeds) == ["Отчёт Ромашка 13.11.2026-19.11.2026.xlsx"]
    last = deeds[-1]["message"]
    assert "✅ Отчёт готов" in last["text"]
    assert len([one for one in last["entities"] if one["type"] == "text_link"]) == 1


async def test_whoever_was_taken_out_meanwhile_gets_no_file(
    talk: Talk, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await talk.member("administrator", Role.OWNER)
    made = talk.app.reports.chart

    async def taken_out(*words: Any, **options: Any) -> bytes:
        await talk.app.members.revoke(OWN, person.id, by="cli")
        return await made(*words, **options)

    monkeypatch.setattr(type(talk.app.reports), "chart", lambda _, *w, **o: taken_out(*w, **o))
    await person.write("/report")
    await person.tap("Неделя")
    await person.tap("Все администраторы")
    await person.post("/telegram/tap", chat_id=person.id, label="✅ Создать")
    deeds = await ended(person)
    assert documents(deeds) == []
    assert "Доступа к этой клинике больше нет" in text_of(deeds[-1])


async def ask_for_all(person: Person) -> None:
    await person.write("/report")
    await person.tap("Неделя")
    await person.tap("Все администраторы")
    await person.post("/telegram/tap", chat_id=person.id, label="✅ Создать")


async def test_whoever_is_taken_out_ends_the_work_under_way(
    talk: Talk, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await talk.member("administrator", Role.OWNER)

    async def endless(*_: Any, **__: Any) -> None:
        await talk.app.members.revoke(OWN, person.id, by="cli")
        await asyncio.Event().wait()

    monkeypatch.setattr(type(talk.app.reports), "generate", endless)
    await ask_for_all(person)
    deeds = await ended(person)
    assert "Доступа к этой клинике больше нет" in text_of(deeds[-1])


async def test_whoever_is_taken_out_between_two_files_gets_no_other(
    talk: Talk, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await talk.member("administrator", Role.OWNER)
    sent = Bot.send_photo

    async def taken_out(bot: Bot, *words: Any, **options: Any) -> Any:
        await talk.app.members.revoke(OWN, person.id, by="cli")
        return await sent(bot, *words, **options)

    monkeypatch.setattr(Bot, "send_photo", taken_out)
    await ask_for_all(person)
    deeds = await ended(person)
    assert documents(deeds) == []
    assert "Доступа к этой клинике больше нет" in text_of(deeds[-1])


async def test_another_role_meanwhile_is_told(
    talk: Talk, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await talk.member("administrator", Role.OWNER)
    made = talk.app.reports.chart

    async def demoted(*words: Any, **options: Any) -> bytes:
        _, code = await talk.app.invitations.create(
            OWN, Role.ADMINISTRATOR, administrator=ADMINISTRATOR, by="cli"
        )
        await talk.app.invitations.accept(code, person.id, "Ольга")
        return await made(*words, **options)

    monkeypatch.setattr(type(talk.app.reports), "chart", lambda _, *w, **o: demoted(*w, **o))
    await ask_for_all(person)
    deeds = await ended(person)
    assert documents(deeds) == []
    assert text_of(deeds[-1]) == "⚠️ Ваша роль изменилась: создайте отчёт заново"


async def test_progress_that_cannot_be_shown_ends_no_work(
    talk: Talk, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_PAUSE_SECONDS", 0)
    monkeypatch.setattr(runner, "_TELL_SECONDS", 0.01)
    control, made = talk.sandbox.control, talk.app.reports.chart

    async def late(*words: Any, **options: Any) -> bytes:
        control.fail("telegram", "server_error", match="/editMessageText", times=2)
        while (await asyncio.to_thread(control.pending_faults))["telegram"]:
            await talk.settled()
        return await made(*words, **options)

    monkeypatch.setattr(type(talk.app.reports), "chart", lambda _, *w, **o: late(*w, **o))
    await ask_for_all(person)
    deeds = await ended(person)
    assert "Отчёт готов" in text_of(deeds[-1])
    assert len(documents(deeds)) == 2
