"""A dialogue belongs to the clinic it was begun in, wherever the person is led meanwhile."""

import pytest
from tests.fixtures.bot_chat import ADMINISTRATOR, FOREIGN, OWN, Person, Talk, text_of

from medai.members.models import Role

STALE = "Эта кнопка из старого сообщения"


@pytest.fixture
async def person(talk: Talk) -> Person:
    """An owner of two clinics, who looks at the own one."""
    await talk.library.add_done(101, administrator=ADMINISTRATOR)
    person = await talk.member("owner", Role.OWNER)
    await talk.member("owner", Role.OWNER, FOREIGN)
    await talk.app.members.look_at(person.id, OWN)
    return person


async def led_away(talk: Talk, person: Person) -> None:
    """The button of a notice opens a call of the other clinic."""
    call = await talk.library.add_done(201, client_id=FOREIGN, administrator="Пётр Петров")
    await talk.with_button(person, "▶️ Открыть звонок", f"op:{call.id}")
    (card,) = await person.tap("▶️ Открыть звонок")
    assert "Администратор: Пётр Петров" in text_of(card)


async def test_a_report_is_of_the_clinic_it_was_asked_for_in(talk: Talk, person: Person) -> None:
    await person.write("/report")
    await person.tap("Неделя")
    await person.tap("Все администраторы")
    await led_away(talk, person)
    (told,) = await person.tap("✅ Создать")
    assert text_of(told).startswith(STALE)
    assert not talk.messenger.errands._running


async def test_nobody_is_invited_to_the_clinic_one_was_led_to(talk: Talk, person: Person) -> None:
    await person.write("/profile")
    await person.tap("👥 Люди")
    await person.tap("➕ Пригласить")
    await led_away(talk, person)
    label = await person.full("Руководитель")
    await person.post("/telegram/tap", chat_id=person.id, label=label)
    await person.write("/help")
    for client_id in (OWN, FOREIGN):
        assert [one async for one in talk.app.invitations.open(client_id)] == []


@pytest.mark.parametrize("is_sure", [False, True])
async def test_nobody_is_taken_out_of_the_clinic_one_was_led_to(
    talk: Talk, person: Person, is_sure: bool
) -> None:
    for client_id in (OWN, FOREIGN):  # who works in both
        both = await talk.member("foreigner", Role.MANAGER, client_id)
    await talk.app.members.named(both.id, "Пётр")
    await person.write("/profile")
    await person.tap("👥 Люди")
    if is_sure:
        (asked,) = await person.tap("✖️ Пётр")
        assert text_of(asked) == "Закрыть доступ к клинике «Ромашка»: Пётр?"
    label = await person.full("Да, закрыть доступ" if is_sure else "✖️ Пётр")
    await led_away(talk, person)
    await person.post("/telegram/tap", chat_id=person.id, label=label)
    (told,) = await person.write("/help")
    assert "Что умеет бот" in text_of(told)
    member = await talk.app.members.member(both.id)
    assert member is not None
    assert {one.client_id for one in member.memberships} == {OWN, FOREIGN}


async def test_a_dialogue_of_a_clinic_one_is_out_of_is_over(talk: Talk, person: Person) -> None:
    await talk.member("administrator", Role.OWNER)
    await person.write("/report")
    await person.tap("Неделя")
    await talk.app.members.revoke(OWN, person.id, by="cli")
    (told,) = await person.tap("Все администраторы")
    assert text_of(told).startswith(STALE)


async def test_back_in_the_clinic_the_dialogue_goes_on(talk: Talk, person: Person) -> None:
    await person.write("/report")
    await person.tap("Неделя")
    await led_away(talk, person)
    await talk.app.members.look_at(person.id, OWN)
    (sure,) = await person.tap(f"▫️ {ADMINISTRATOR}")
    assert "Выбрано: 1" in text_of(sure)
