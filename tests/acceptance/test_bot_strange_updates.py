"""Updates that no button or command of ours makes: each is answered once, or not at all."""

from itertools import count
from typing import Any

import pytest
from tests.fixtures.bot_chat import ADMINISTRATOR, Person, Talk, labels, text_of

from medai.members.models import Role

Json = dict[str, Any]
_updates = count(1)

FILE = {"file_id": "f", "file_unique_id": "u"}
STICKER = {"type": "regular", "width": 1, "height": 1, "is_animated": False, "is_video": False}
HIDDEN = {"type": "hidden_user", "date": 1, "sender_user_name": "Кто-то"}
WORDLESS: dict[str, Json] = {
    "sticker": {"sticker": {**FILE, **STICKER}},
    "contact": {"contact": {"phone_number": "+79000000001", "first_name": "Имя", "user_id": 504}},
    "photo": {"photo": [{**FILE, "width": 1, "height": 1}], "caption": "18.11.2026"},
    "voice": {"voice": {**FILE, "duration": 1}},
    "location": {"location": {"latitude": 1.0, "longitude": 2.0}},
    "nothing": {},
}
WORDS: dict[str, Json] = {
    "forwarded": {"text": "привет", "forward_origin": HIDDEN},
    "long": {"text": "я" * 4096},
    "long markup": {"text": "<&>" * 1365},
    "invisible": {"text": "\N{ZERO WIDTH SPACE}"},
}


@pytest.fixture
async def person(talk: Talk) -> Person:
    await talk.library.add_done(101, administrator=ADMINISTRATOR)
    return await talk.member("owner", Role.OWNER)


def user(person: Person) -> Json:
    return {"id": person.id, "is_bot": False, "first_name": "Ольга"}


def message(person: Person, chat: Json | None = None, **content: Any) -> Json:
    place = chat or {"id": person.id, "type": "private"}
    return {"message_id": 77, "date": 1, "chat": place, "from": user(person), **content}


def tap(person: Person, **content: Any) -> Json:
    """A tap as Telegram delivers it, of a message that may be anything."""
    return {"id": "1", "from": user(person), "chat_instance": "c", **content}


async def feed(talk: Talk, **content: Any) -> None:
    """Hand an update of any kind to the bot at work."""
    messenger = talk.messenger
    update = {"update_id": next(_updates), **content}
    await messenger.dispatcher.feed_raw_update(messenger.bot, update)


async def begun(person: Person, dialogue: str) -> None:
    """Bring the person to where words are waited for."""
    if dialogue == "leads":
        await person.write("/leads")
    elif dialogue == "report":
        await person.write("/report")
        await person.tap("Свои даты")
    elif dialogue == "invitation":
        await person.write("/profile")
        for label in ("👥 Люди", "➕ Пригласить", "Администратор"):
            await person.tap(label)


@pytest.mark.parametrize("dialogue", ["", "leads", "report", "invitation"])
async def test_what_is_no_words_ends_no_dialogue(talk: Talk, person: Person, dialogue: str) -> None:
    await begun(person, dialogue)
    for content in WORDLESS.values():
        await feed(talk, message=message(person, **content))
        (told,) = await person.hear(1)
        assert text_of(told).startswith("Не понял")
    if dialogue == "report":
        (told,) = await person.write("18.11.2026")
        assert "Первый день: 18.11.2026" in text_of(told)
    if dialogue == "leads":
        (told,) = await person.write("18.11.2026")
        assert "Звонки за 18.11.2026" in text_of(told)


@pytest.mark.parametrize("dialogue", ["leads", "report"])
async def test_strange_words_are_told_in_short(talk: Talk, person: Person, dialogue: str) -> None:
    await begun(person, dialogue)
    for content in WORDS.values():
        await feed(talk, message=message(person, **content))
        (told,) = await person.hear(1)
        assert text_of(told).startswith("⚠️ Неверная дата «")
        assert len(text_of(told)) < 100


async def test_a_name_as_long_as_a_message_is_no_name(talk: Talk, person: Person) -> None:
    await begun(person, "invitation")
    (told,) = await person.write("<" * 4096)
    assert text_of(told) == "⚠️ Имя администратора длиннее 120 знаков"


@pytest.mark.parametrize("payload", ["hello", "😀", "0" * 32, "f" * 64])
async def test_a_start_with_a_useless_payload(talk: Talk, person: Person, payload: str) -> None:
    stranger = talk.person("stranger")
    for one in (person, stranger):
        (told,) = await one.write(f"/start {payload}")
        assert text_of(told).startswith("⚠️ Код приглашения не подходит")


GROUP = {"id": -5, "type": "supergroup", "title": "Клиника"}


async def test_what_nobody_asked_for_is_not_answered(talk: Talk, person: Person) -> None:
    channel = {
        "message_id": 1,
        "date": 1,
        "chat": {"id": -6, "type": "channel", "title": "Новости"},
    }
    before = len(await person.messages())
    for content in (
        {"edited_message": message(person, text="/leads", edit_date=2)},
        {"channel_post": {**channel, "text": "/start"}},
        {"inline_query": {"id": "1", "from": user(person), "query": "звонки", "offset": ""}},
        {"callback_query": tap(person, inline_message_id="1", data="g:home")},
        {"callback_query": tap(person, message=message(person, GROUP, text="x"), data="g:prof")},
        {"message": message(person, GROUP, text="/leads")},
    ):
        await feed(talk, **content)
    assert len(await person.messages()) == before
    log: list[Json] = talk.sandbox.control.get("/telegram/log")
    assert {deed["chat_id"] for deed in log} <= {person.id}


async def test_a_tap_on_a_message_that_is_gone_or_another(talk: Talk, person: Person) -> None:
    gone = {"message_id": 4, "date": 0, "chat": {"id": person.id, "type": "private"}}
    for content in (
        gone,
        message(person, text="другое"),
        message(person, sticker={**FILE, **STICKER}),
    ):
        await feed(talk, callback_query=tap(person, message=content, data="g:prof"))
        (told,) = await person.hear(1)
        assert "Роль: владелец" in text_of(told)
    await feed(talk, callback_query=tap(person, message=gone, game_short_name="x"))
    (told,) = await person.hear(1)
    assert text_of(told).startswith("Эта кнопка из старого сообщения")


@pytest.mark.parametrize("data", ["m:000101", "m:999912", "m:202613", "m:", "dp:00010101",
                                  "dp:99991231", "dp:20261120", "dp:x"])  # fmt: skip
async def test_a_calendar_of_no_time_keeps_the_question(
    talk: Talk, person: Person, data: str
) -> None:
    await begun(person, "report")
    await talk.with_button(person, "Кнопка", data)
    (told,) = await person.tap("Кнопка")
    refused = ("⚠️ Дата", "⚠️ Неверная дата", "⚠️ Эта кнопка устарела", "⚠️ Отчёт не может")
    assert text_of(told).startswith(refused)
    (told,) = await person.write("18.11.2026")
    assert "Первый день: 18.11.2026" in text_of(told)


@pytest.mark.parametrize("data", ["d:20261119:99999999999999999999", "d:20261119:-3"])
async def test_a_page_that_is_not_there_is_one_that_is(
    talk: Talk, person: Person, data: str
) -> None:
    await talk.with_button(person, "Кнопка", data)
    (told,) = await person.tap("Кнопка")
    assert "Звонки за 19.11.2026" in text_of(told)


async def test_a_flood_of_a_stranger_keeps_nobody_waiting(talk: Talk, person: Person) -> None:
    stranger = talk.person("stranger")
    await stranger.write("/start")
    for _ in range(40):
        await feed(talk, message=message(stranger, text="привет"))
    await person.write("/help")
    told = [one for one in await stranger.messages() if one["from"]["is_bot"]]
    assert 2 <= len(told) <= 25


async def test_a_clinic_without_a_single_call(talk: Talk) -> None:
    person = await talk.member("owner", Role.OWNER)
    await person.write("/leads")
    (leads,) = await person.tap("Сегодня")
    assert text_of(leads) == "Звонки за 19.11.2026\nЗа этот день звонков нет."
    assert labels(leads["message"]) == ["⬅️ К выбору дня"]
    await person.write("/report")
    (sure,) = await person.tap("Месяц")  # nobody to choose
    assert "Все администраторы" in text_of(sure)
    await person.post("/telegram/tap", chat_id=person.id, label="✅ Создать")
    told = await person.hear_about("⚠️")
    assert "нет звонков с оценкой" in text_of(told)
    await person.write("/profile")
    for label in ("👥 Люди", "➕ Пригласить"):
        await person.tap(label)
    (asked,) = await person.tap("Администратор")
    assert labels(asked["message"]) == ["⬅️ Назад"]
