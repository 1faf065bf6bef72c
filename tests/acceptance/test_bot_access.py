"""Who the bot talks to: members of a clinic, about what their role may see, until they are out."""

from typing import Any

import pytest
from tests.fixtures.bot_chat import ADMINISTRATOR, FOREIGN, OWN, Talk, labels, text_of

from medai.bot.keyboards.people import clinic_key
from medai.members.models import Role

PROMPT = (
    "Этот бот работает только по приглашению клиники. Пришлите код приглашения или откройте"
    " ссылку, которую дал владелец."
)


@pytest.mark.parametrize(
    "words",
    ["/start", "/help", "/profile", "/leads", "/report", "/register", "/cancel", "отмена",
     "📞 Получить сделки", "📊 Создать отчёт", "19.11.2026", OWN, "привет <b>", "/start@bot"],
)  # fmt: skip
async def test_a_stranger_is_told_one_thing(talk: Talk, words: str) -> None:
    stranger = talk.person("stranger")
    (told,) = await stranger.write(words)
    assert text_of(told) == PROMPT
    assert labels(told["message"]) == []


@pytest.mark.parametrize("data", ["g:home", "lead_501", "d:20261119:0", "y:1", "confirm_report"])
async def test_a_strangers_tap_is_answered_like_words(talk: Talk, data: str) -> None:
    stranger = talk.person("stranger")
    await stranger.write("/start")
    await talk.with_button(stranger, "Кнопка", data)
    (told,) = await stranger.tap("Кнопка")
    assert text_of(told) == PROMPT


async def test_a_strangers_file_is_answered_like_words(talk: Talk) -> None:
    stranger = talk.person("stranger")
    document = {"file_name": "a.pdf", "file_base64": "AAAA"}
    await stranger.post("/telegram/messages", chat_id=stranger.id, **document)
    (told,) = await stranger.hear(1)
    assert text_of(told) == PROMPT


@pytest.mark.parametrize("form", ["/start {}", "{}", "https://t.me/medai_sandbox_bot?start={}"])
async def test_an_invitation_lets_one_person_in_once(talk: Talk, form: str) -> None:
    _, code = await talk.app.invitations.create(OWN, Role.MANAGER, by="cli")
    person, late = talk.person("owner"), talk.person("stranger")

    (welcome,) = await person.write(form.format(code))
    assert "Ваша роль — руководитель" in text_of(welcome)
    (home,) = await person.write("/start")
    assert "Ромашка" in text_of(home)

    (refused,) = await late.write(form.format(code))
    assert "Код приглашения не подходит" in text_of(refused)
    (told,) = await late.write("/start")
    assert text_of(told) == PROMPT


@pytest.mark.parametrize("form", ["/start {}", "{}", "https://t.me/medai_sandbox_bot?start={}"])
async def test_a_member_adds_another_clinic_by_its_code(talk: Talk, form: str) -> None:
    person = await talk.member("owner", Role.OWNER)
    _, code = await talk.app.invitations.create(FOREIGN, Role.MANAGER, by="cli")
    (welcome,) = await person.write(form.format(code))
    assert "Добро пожаловать в клинику «Ромашка»" in text_of(welcome)
    assert "Ваша роль — руководитель" in text_of(welcome)
    member = await talk.app.members.member(person.id)
    assert member is not None
    assert {one.client_id for one in member.memberships} == {OWN, FOREIGN}


async def test_whoever_is_taken_out_is_out_with_the_next_update(talk: Talk) -> None:
    await talk.member("administrator", Role.OWNER)
    person = await talk.member("owner", Role.OWNER)
    await talk.library.add(101)
    await person.write("📞 Получить сделки")
    await talk.app.members.revoke(OWN, person.id, by="cli")

    (told,) = await person.tap("Сегодня")
    assert text_of(told) == PROMPT
    (told,) = await person.write("/leads")
    assert text_of(told) == PROMPT


async def test_an_owner_of_the_replaced_system_comes_in_with_a_name(talk: Talk) -> None:
    """`telegram_ids` name nobody; whoever writes is called what Telegram calls them."""
    owner = talk.person("owner")
    await talk.app.clinics.change(
        OWN, lambda stored: stored.model_copy(update={"telegram_ids": (owner.id,)})
    )
    await talk.library.add(101, lead_name="Прежняя")
    (home,) = await owner.write("/start")
    assert text_of(home).startswith("Ромашка\nОльга, владелец")
    await owner.write("/leads")
    (leads,) = await owner.tap("Сегодня")
    assert [one for one in labels(leads["message"]) if one.startswith("Прежняя")]
    await owner.write("/profile")
    (people,) = await owner.tap("👥 Люди")
    assert "• Ольга — владелец" in text_of(people)


async def test_an_administrator_sees_their_own_calls_only(talk: Talk) -> None:
    await talk.library.add(101, lead_id=501, lead_name="Своя", administrator=ADMINISTRATOR)
    other = await talk.library.add(102, lead_id=502, lead_name="Чужая", administrator="Пётр Петров")
    mixed = await talk.library.add(103, lead_id=501, lead_name="Своя", administrator="Пётр Петров")
    person = await talk.member("administrator", Role.ADMINISTRATOR)

    await person.write("/leads")
    (leads,) = await person.tap("Сегодня")
    assert "1\N{NO-BREAK SPACE}звонок" in text_of(leads)
    assert not [label for label in labels(leads["message"]) if "Чужая" in label]
    (calls,) = await person.tap("Своя")
    assert "1\N{NO-BREAK SPACE}звонок" in text_of(calls)
    for call in (other, mixed):
        for data in (f"c:{call.id}:s", f"c:{call.id}:a", f"c:{call.id}:x", f"c:{call.id}:r",
                     f"c:{call.id}:t", f"l:{call.id}:0"):  # fmt: skip
            await talk.with_button(person, f"Кнопка {data}", data)
            (told,) = await person.tap(f"Кнопка {data}")
            assert text_of(told) == "⚠️ Звонок не найден: откройте список звонков заново"


async def test_nobody_is_answered_in_a_group(talk: Talk) -> None:
    person = await talk.member("owner", Role.OWNER)
    await person.post(
        "/telegram/messages", chat_id=-7001, text="/start", user_id=person.id, first_name="Группа"
    )
    (home,) = await person.write("/start")
    assert "Ромашка" in text_of(home)
    log: list[dict[str, Any]] = talk.sandbox.control.get("/telegram/log")
    assert not [deed for deed in log if deed["chat_id"] == -7001]


async def test_only_an_owner_opens_the_people(talk: Talk) -> None:
    person = await talk.member("administrator", Role.MANAGER)
    (profile,) = await person.write("/profile")
    assert "👥 Люди" not in labels(profile["message"])
    for data in ("g:ppl", "g:inv", f"o:501:{clinic_key(OWN)}:1"):
        await talk.with_button(person, f"Кнопка {data}", data)
        (told,) = await person.tap(f"Кнопка {data}")
        assert text_of(told) == "⚠️ Это может только владелец клиники: попросите его"
