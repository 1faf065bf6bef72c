"""/profile: notices, quiet hours, clinics; and the clinic's people."""

import re

from tests.fixtures.bot_chat import FOREIGN, OWN, Talk, labels, text_of

from medai.members.models import Notice, QuietHours, Role

PROMPT = "Этот бот работает только по приглашению клиники."


async def test_notices_and_quiet_hours_are_switched(talk: Talk) -> None:
    person = await talk.member("owner", Role.OWNER)
    (profile,) = await person.write("/profile")
    assert "Роль: владелец" in text_of(profile)
    assert "Тихие часы: 22:00–08:00" in text_of(profile)
    (off,) = await person.tap("🔔 Утренняя сводка")
    assert "🔕 Утренняя сводка" in labels(off["message"])
    (night,) = await person.tap("▫️ 20:00–10:00")
    assert "Тихие часы: 20:00–10:00" in text_of(night)
    member = await talk.app.members.member(person.id)
    assert member is not None
    assert member.switched_off == frozenset({Notice.MORNING})
    assert member.quiet == QuietHours(first_hour=20, last_hour=10)
    (none,) = await person.tap("▫️ без тихих часов")
    assert "Тихие часы: без тихих часов" in text_of(none)
    (on,) = await person.tap("🔕 Утренняя сводка")
    assert "🔔 Утренняя сводка" in labels(on["message"])


async def test_an_administrator_is_offered_what_can_come_to_them(talk: Talk) -> None:
    person = await talk.member("administrator", Role.ADMINISTRATOR)
    (profile,) = await person.write("/profile")
    assert "Ваши звонки: Мария Иванова" in text_of(profile)
    notices = [one for one in labels(profile["message"]) if one[0] in "🔔🔕"]
    assert notices == ["🔔 Утренняя сводка"]


async def test_values_that_no_button_has(talk: Talk) -> None:
    person = await talk.member("owner", Role.OWNER)
    await person.write("/help")
    for place, data in enumerate(("q:25:3", "q:-1:3", "n:nothing:1", "k:0123456789ab", "i:king")):
        await talk.with_button(person, f"Кнопка {place}", data)
        label = f"Кнопка {place}"
        await person.post("/telegram/tap", chat_id=person.id, label=label)
    (told,) = await person.write("/profile")
    while "Роль" not in text_of(told):
        (told,) = await person.hear(1)
    assert "Тихие часы: 22:00–08:00" in text_of(told)


async def test_clinics_are_switched_and_calls_follow(talk: Talk) -> None:
    clinic = await talk.app.clinics.require(FOREIGN)
    await talk.app.clinics.change(
        FOREIGN, lambda stored: stored.model_copy(update={"name": "Василёк <i>"})
    )
    assert clinic.name != "Василёк <i>"
    await talk.library.add(101, client_id=FOREIGN, lead_name="Из Василька")
    person = await talk.member("owner", Role.OWNER)
    await talk.member("owner", Role.MANAGER, FOREIGN)
    await talk.app.members.look_at(person.id, OWN)

    (profile,) = await person.write("/profile")
    assert "📍 Ромашка" in labels(profile["message"])
    (profile,) = await person.tap("🏥 Василёк <i>")
    assert "Клиника: Василёк <i>\nРоль: руководитель" in text_of(profile)
    await person.write("/leads")
    (leads,) = await person.tap("Сегодня")
    assert [one for one in labels(leads["message"]) if one.startswith("Из Василька")]


async def test_an_owner_lets_people_in_and_takes_them_out(talk: Talk) -> None:
    owner, guest = await talk.member("owner", Role.OWNER), talk.person("stranger")
    await owner.write("/profile")
    (people,) = await owner.tap("👥 Люди")
    assert "• Ольга — владелец" in text_of(people)
    (roles,) = await owner.tap("➕ Пригласить")
    assert labels(roles["message"])[:3] == ["Владелец", "Руководитель", "Администратор"]
    (given,) = await owner.tap("Руководитель")
    found = re.search(r"https://t\.me/medai_sandbox_bot\?start=(\w+)", text_of(given))
    assert found
    (people,) = await owner.tap("⬅️ Назад")
    assert "Неиспользованные приглашения\n• руководитель, до 26.11.2026" in text_of(people)

    (welcome,) = await guest.write(f"/start {found[1]}")
    assert "Ваша роль — руководитель" in text_of(welcome)
    await owner.write("/profile")
    (people,) = await owner.tap("👥 Люди")
    assert "Неиспользованные" not in text_of(people)
    await talk.app.members.named(guest.id, "Гость <b>")
    await owner.write("/profile")
    await owner.tap("👥 Люди")
    (sure,) = await owner.tap("✖️ Гость <b>")
    assert text_of(sure) == "Закрыть доступ к клинике «Ромашка»: Гость <b>?"
    (people,) = await owner.tap("Да, закрыть доступ")
    assert "Гость" not in text_of(people)
    (told,) = await guest.write("/help")
    assert text_of(told).startswith(PROMPT)


async def test_an_administrator_is_invited_by_name(talk: Talk) -> None:
    await talk.library.add(101, administrator="Анна Серова")
    owner = await talk.member("owner", Role.OWNER)
    for typed in (False, True):
        await owner.write("/profile")
        await owner.tap("👥 Люди")
        await owner.tap("➕ Пригласить")
        (asked,) = await owner.tap("Администратор")
        assert labels(asked["message"])[0] == "Анна Серова"
        if typed:
            (refused,) = await owner.write("Неизвестный администратор")
            assert "назовите имя" in text_of(refused)
            (given,) = await owner.write("  Ольга   Белова ")
            assert "Приглашение в клинику «Ромашка»: администратор Ольга Белова." in text_of(given)
        else:
            (given,) = await owner.tap("Анна Серова")
            assert "Приглашение в клинику «Ромашка»: администратор Анна Серова." in text_of(given)


async def test_an_invitation_is_withdrawn(talk: Talk) -> None:
    owner, guest = await talk.member("owner", Role.OWNER), talk.person("stranger")
    _, code = await talk.app.invitations.create(OWN, Role.OWNER, by="cli")
    await owner.write("/profile")
    await owner.tap("👥 Люди")
    (people,) = await owner.tap("✖️ Отозвать приглашение 1")
    assert "Неиспользованные" not in text_of(people)
    (told,) = await guest.write(code)
    assert "Код приглашения не подходит" in text_of(told)


async def test_the_last_owner_is_not_taken_out_by_a_tap(talk: Talk) -> None:
    owner = await talk.member("owner", Role.OWNER)
    await owner.write("/profile")
    await owner.tap("👥 Люди")
    await owner.tap("✖️ Ольга")
    (told,) = await owner.tap("Да, закрыть доступ")
    assert "Последнего владельца клиники бот не исключает" in text_of(told)
