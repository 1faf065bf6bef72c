"""The calls' flow of the bot, from the day to the recording."""

from datetime import timedelta
from typing import Any

import pytest
from tests.fixtures.bot_chat import (
    ADMINISTRATOR,
    OWN,
    Person,
    Talk,
    answer_to,
    labels,
    text_of,
)
from tests.fixtures.call_library import SOUND, audio, done
from tests.fixtures.report_calls import full_analysis

from medai.access.audit import Opened
from medai.analysis.repository import AnalysisRepository
from medai.bot.handlers import card
from medai.calls.models import Call
from medai.members.models import Role

NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture
async def person(talk: Talk) -> Person:
    return await talk.member("owner", Role.OWNER)


async def opened(talk: Talk) -> list[tuple[str, str, str | None]]:
    """(who, what, which) of the access log, oldest first."""
    found = [one async for one in talk.app.access_log.newest(OWN, 50)]
    return [(one.by, one.what, one.object_id) for one in reversed(found)]


async def card_of(talk: Talk, person: Person, call: Call) -> dict[str, Any]:
    """The call's card, as if its button had been found."""
    await talk.with_button(person, f"Звонок {call.id}", f"c:{call.id}:s")
    (card,) = await person.tap(f"Звонок {call.id}")
    message: dict[str, Any] = card["message"]
    return message


async def test_from_the_day_to_the_card_and_back(talk: Talk, person: Person) -> None:
    await talk.library.add_done(101, administrator=ADMINISTRATOR)
    await talk.library.add(102, lead_id=502, lead_name="Имплант <b> & Co", administrator="Другая")

    (home,) = await person.write("/start")
    assert "Ромашка" in text_of(home)
    (asked,) = await person.write("📞 Получить сделки")
    assert labels(asked["message"])[:4] == ["Сегодня", "Вчера", "Позавчера", "Другая дата"]
    (leads,) = await person.tap("Сегодня")
    assert "Звонки за 19.11.2026" in text_of(leads)
    assert f"2{NBSP}звонка, 2{NBSP}сделки" in text_of(leads)
    (calls,) = await person.tap("Имплант <b> & Co")
    assert text_of(calls).startswith("Имплант <b> & Co")
    assert labels(calls["message"])[0] == "⬇️ 19.11 12:01 +79000000001 1:01 Другая"
    (card,) = await person.tap("⬇️ 19.11")
    assert text_of(card).splitlines() == [
        "Звонок 19.11.2026 12:01",
        "Направление: Входящий",
        "Номер: +79000000001",
        "Длительность: 1:01",
        "Администратор: Другая",
        "Расшифровка: ещё нет",
        "Оценка: ещё нет",
        "Запись на приём: нет",
    ]
    assert labels(card["message"]) == ["📝 Расшифровать", "⬅️ К звонкам"]
    (calls,) = await person.tap("⬅️ К звонкам")
    (leads,) = await person.tap("⬅️ К сделкам")
    assert "Звонки за 19.11.2026" in text_of(leads)
    (asked,) = await person.tap("⬅️ К выбору дня")
    assert "За какой день" in text_of(asked)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("18.11.2026", "Звонки за 18.11.2026"),
        ("2026-11-18", "Звонки за 18.11.2026"),
        ("32.11.2026", "Неверная дата «32.11.2026»"),
        ("вчера", "Неверная дата «вчера»"),
        ("<b>", "Неверная дата «<b>»"),
        ("20.11.2026", "Этот день ещё не наступил"),
    ],
)
async def test_a_day_in_words(talk: Talk, person: Person, typed: str, shown: str) -> None:
    await person.write("/leads")
    await person.tap("Другая дата")
    (told,) = await person.write(typed)
    assert shown in text_of(told)
    if "Звонки" not in shown:  # the question stays
        (told,) = await person.write("18.11.2026")
        assert "Звонки за 18.11.2026" in text_of(told)


async def test_a_long_day_has_pages(talk: Talk, person: Person) -> None:
    for note in range(1, 20):
        await talk.library.add(note, lead_id=note, lead_name=f"Сделка № {note}")
    await person.write("/leads")
    (first,) = await person.tap("Сегодня")
    assert "Страница 1 из 3" in text_of(first)
    assert labels(first["message"])[0] == f"Сделка № 19 · 1{NBSP}звонок"
    await person.tap("▶️")
    (last,) = await person.tap("▶️")
    assert "Страница 3 из 3" in text_of(last)
    assert [one for one in labels(last["message"]) if one.startswith("Сделка")] == [
        f"Сделка № {note} · 1{NBSP}звонок" for note in (3, 2, 1)
    ]
    (second,) = await person.tap("◀️")
    assert "Страница 2 из 3" in text_of(second)


async def test_a_lead_with_many_calls_has_pages(talk: Talk, person: Person) -> None:
    for note in range(1, 11):
        await talk.library.add(note)
    await person.write("/leads")
    await person.tap("Сегодня")
    (first,) = await person.tap("Сделка")
    assert "Страница 1 из 2" in text_of(first)
    (last,) = await person.tap("▶️")
    assert len([one for one in labels(last["message"]) if one.startswith("⬇️")]) == 2


async def test_the_transcript_is_a_document(talk: Talk, person: Person) -> None:
    call = await talk.library.add_done(101)
    await card_of(talk, person, call)
    (sent,) = await person.tap("📄 Расшифровка")
    assert sent["message"]["document"]["file_name"] == "transcription_note_101.txt"
    assert "Менеджер: Добрый день, клиника" in (await person.file(sent["message"])).decode()
    assert ("telegram:501", Opened.TRANSCRIPT, call.id) in await opened(talk)
    (card,) = await person.tap("⬅️ К звонку")
    assert "Звонок 19.11.2026" in text_of(card)


async def test_the_analysis_shows_each_score_with_its_quote(talk: Talk, person: Person) -> None:
    call = await talk.library.add_done(101)
    full = full_analysis(call.id, {"greeting": 8, "price": None, "appeal": 0})
    full = full.model_copy(
        update={"client_id": OWN, "recommendations": ("Назовите клинику", "Спросите <имя>")}
    )
    await AnalysisRepository(talk.app.documents).save(full)

    await card_of(talk, person, call)
    (shown,) = await person.tap("📊 Оценка")
    text = text_of(shown)
    assert "Тип: первичка" in text
    assert "Общая оценка: 8,0 из 10" in text
    assert "• greeting: 8\nАдминистратор 1:05: «Сказано о greeting»" in text
    assert "• price: не оценивается" in text
    assert "• appeal: 0\nЗамечание о appeal" in text
    assert "1. Назовите клинику\n2. Спросите <имя>" in text
    assert ("telegram:501", Opened.ANALYSIS, call.id) in await opened(talk)


async def test_a_long_analysis_comes_in_pieces(talk: Talk, person: Person) -> None:
    call = await talk.library.add_done(101)
    full = full_analysis(call.id, dict.fromkeys((f"критерий {n}" for n in range(19)), 8))
    long = [one.model_copy(update={"name": one.name + " <" + "я" * 300}) for one in full.criteria]
    quoted = [
        one.model_copy(
            update={"evidence": (one.evidence[0].model_copy(update={"quote": "&" * 900}),)}
        )
        for one in long
    ]
    full = full.model_copy(update={"criteria": tuple(quoted)})
    await AnalysisRepository(talk.app.documents).save(full)
    await card_of(talk, person, call)
    pieces = await person.tap("📊 Оценка")
    while not labels(pieces[-1]["message"]):
        pieces += await person.hear(1)
    shown = "".join(map(text_of, pieces))
    assert all(f"критерий {n}" in shown for n in range(19))
    assert labels(pieces[-1]["message"]) == ["⬅️ К звонку"]
    assert labels(pieces[0]["message"]) == []


async def test_the_recording_is_sent_to_listen_to(talk: Talk, person: Person) -> None:
    call = await talk.library.add_done(101)
    await card_of(talk, person, call)
    (sent,) = await person.tap("🎧 Запись")
    assert await person.file(sent["message"]) == SOUND
    assert "audio" in sent["message"]
    assert "+7" not in text_of(sent)
    assert ("telegram:501", Opened.RECORDING, call.id) in await opened(talk)


@pytest.mark.parametrize(("megabytes", "is_sent"), [(45, True), (46, False)])
async def test_a_recording_that_telegram_does_not_take(
    talk: Talk, person: Person, megabytes: int, is_sent: bool
) -> None:
    call = await talk.library.add_done(101)
    assert call.audio is not None
    await talk.app.files.write(call.audio.file, b"\xff\xfb" * (megabytes * 1024 * 512))
    await card_of(talk, person, call)
    (sent,) = await person.tap("🎧 Запись")
    if is_sent:
        assert sent["message"]["audio"]["file_size"] == megabytes * 1024 * 1024
        return
    assert text_of(sent) == "Файл слишком большой для Telegram.\nОткрыть по ссылке"
    (link,) = [one for one in sent["message"]["entities"] if one["type"] == "text_link"]
    answer = await talk.library.doors.stranger.get(link["url"])
    assert answer.status_code == 200


async def test_a_recording_that_telegram_refuses_becomes_a_link(
    talk: Talk, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the limit were lower than we believe: 413 is no trouble."""
    monkeypatch.setattr(card, "LARGEST_UPLOAD", 60 * 1024 * 1024)
    call = await talk.library.add_done(101)
    assert call.audio is not None
    await talk.app.files.write(call.audio.file, b"\xff\xfb" * (51 * 1024 * 512))
    await card_of(talk, person, call)
    (sent,) = await person.tap("🎧 Запись")
    assert text_of(sent) == "Файл слишком большой для Telegram.\nОткрыть по ссылке"


async def test_a_call_without_a_recording(talk: Talk, person: Person) -> None:
    call = await talk.library.add(101, recording_url=None)
    card = await card_of(talk, person, call)
    assert "Расшифровка: нет записи разговора" in card["text"]
    assert labels(card) == ["⬅️ К звонкам"]
    await talk.with_button(person, "Расшифруй", f"c:{call.id}:t")
    (told,) = await person.tap("Расшифруй")
    assert "У звонка нет ссылки на запись" in text_of(told)
    await talk.with_button(person, "Запись!", f"c:{call.id}:r")
    (told,) = await person.tap("Запись!")
    assert "Записи этого звонка у нас ещё нет" in text_of(told)


async def test_a_transcription_is_asked_for_once_and_can_be_stopped(
    talk: Talk, person: Person
) -> None:
    call = await talk.library.add(101, audio=audio("0" * 24))
    await card_of(talk, person, call)
    label = await person.full("📝 Расшифровать")
    await person.post("/telegram/tap", chat_id=person.id, label=label)
    await person.post("/telegram/tap", chat_id=person.id, label=label)
    (shown,) = await person.hear(1)
    assert "Расшифровываю звонок" in text_of(shown)
    stored = await talk.app.calls.get(call.id)
    assert stored is not None
    assert stored.transcription_requested_at is not None
    (stopped,) = await person.tap("✖️ Остановить")
    assert text_of(stopped) == "Остановлено."
    shown_twice = [one for one in await person.messages() if "Расшифровываю" in one.get("text", "")]
    assert shown_twice == []
    assert await talk.messenger.errands.resume() == 0  # the next process does not begin it anew


async def test_an_analysis_is_asked_for_once_and_can_be_stopped(talk: Talk, person: Person) -> None:
    fields = {name: value for name, value in done(101).items() if name != "analysis"}
    call = await talk.library.add(101, **fields)
    await card_of(talk, person, call)
    label = await person.full("📊 Оценка")
    for _ in range(2):
        tapped = await person.post("/telegram/tap", chat_id=person.id, label=label)
    assert (await answer_to(person, tapped)).startswith("Это уже выполняется")
    (shown,) = await person.hear(1)
    assert "Оцениваю звонок" in text_of(shown)
    (stopped,) = await person.tap("✖️ Остановить")
    assert text_of(stopped) == "Остановлено."
    assert not [one for one in await person.messages() if "Оцениваю" in one.get("text", "")]


async def test_a_finished_transcript_ends_the_waiting(talk: Talk, person: Person) -> None:
    call = await talk.library.add(101)
    await card_of(talk, person, call)
    await person.tap("📝 Расшифровать")
    fields = done(101)
    await talk.app.calls.change(
        call.id, {name: fields[name].model_dump() for name in ("audio", "transcript")}
    )
    (card,) = await person.hear(1)
    while "Расшифровываю" in text_of(card):
        (card,) = await person.hear(1)
    assert "Расшифровка: готова ✅" in text_of(card)
    assert "📄 Расшифровка" in labels(card["message"])


@pytest.mark.parametrize(
    "data",
    ["lead_501", "call_65f1c0ffee", "transcribe_65f1c0ffee", "analyze_65f1c0ffee",
     "download_transcript_65f1c0ffee", "download_call_65f1c0ffee", "back_to_date",
     "back_to_leads", "confirm_report", "cancel_report", "g:nowhere", "d:20261399:0",
     "d:20261119:x", "c::s", "w:0", "y:1", "dp:20261119", "m:202611"],
)  # fmt: skip
async def test_an_old_button_is_told_politely(talk: Talk, person: Person, data: str) -> None:
    await talk.with_button(person, "Старая", data)
    (told,) = await person.tap("Старая")
    polite = ("Эта кнопка из старого сообщения", "⚠️ Эта кнопка устарела", "⚠️ Неверная дата",
              "⚠️ Звонок не найден")  # fmt: skip
    assert text_of(told).startswith(polite)


async def test_unknown_words_and_the_way_out(talk: Talk, person: Person) -> None:
    (told,) = await person.write("что-то")
    assert text_of(told).startswith("Не понял")
    await person.write("/leads")
    for words in ("Отмена", " отмена ", "/cancel"):
        (told,) = await person.write(words)
        assert text_of(told) == "Отменено. Вы на главной."
    (told,) = await person.write("18.11.2026")
    assert text_of(told).startswith("Не понял")
    (told,) = await person.write("/register")
    assert "веб-интерфейсе" in text_of(told)
    (told,) = await person.write("/help")
    assert "Вы видите все звонки клиники" in text_of(told)


async def test_a_dialogue_that_nobody_went_on_with_is_over(talk: Talk, person: Person) -> None:
    await person.write("/leads")
    talk.library.clock.now += timedelta(days=2, seconds=1)
    (told,) = await person.write("18.11.2026")
    assert text_of(told).startswith("Не понял")
