"""The calls' flow of the bot, from the day to the recording."""

from tests.fixtures.bot_chat import ADMINISTRATOR, Talk, labels, text_of

from medai.members.models import Role


async def test_from_the_day_to_the_card(talk: Talk) -> None:
    await talk.library.add_done(101, administrator=ADMINISTRATOR)
    await talk.library.add(102, lead_id=502, lead_name="Имплант <b>", administrator="Другая")
    person = await talk.member("owner", Role.OWNER)

    (home,) = await person.write("/start")
    assert "Ромашка" in text_of(home)
    (asked,) = await person.write("📞 Получить сделки")
    assert labels(asked["message"])[:3] == ["Сегодня", "Вчера", "Позавчера"]
    (leads,) = await person.tap("Сегодня")
    assert "Звонки за 19.11.2026" in text_of(leads)
    assert "2\N{NO-BREAK SPACE}звонка, 2\N{NO-BREAK SPACE}сделки" in text_of(leads)
    (calls,) = await person.tap("Имплант <b>")
    assert text_of(calls).startswith("Имплант <b>")
    (card,) = await person.tap("⬇️ 19.11")
    assert "Администратор: Другая" in text_of(card)
