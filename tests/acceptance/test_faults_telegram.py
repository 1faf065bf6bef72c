"""Each fault of Telegram beside the bot: what a person sees, and that the bot goes on."""

import pytest
from tests.fixtures.bot_chat import Person, Talk, text_of
from tests.fixtures.faults import kinds_of

from medai.members.models import Role

HELP, TROUBLE = "Что умеет бот", "⚠️ Что-то пошло не так"

SHOWN: dict[str, tuple[str, ...]] = {
    # It says how long to wait: the same message is sent again.
    "rate_limit_json": (HELP,),
    "slow": (HELP,),
    # Nothing was delivered, and nothing is repeated: the person is told and may ask again.
    "rate_limit_html": (TROUBLE,),
    "server_error": (TROUBLE,),
    "gateway_html": (TROUBLE,),
    "html_ok": (TROUBLE,),
    "reset": (TROUBLE,),
    "bad_key": (TROUBLE,),
    "forbidden_html": (TROUBLE,),
    "not_found": (TROUBLE,),
    "conflict": (TROUBLE,),
    # It was delivered and its answer lost: a repetition would be a second message.
    "timeout": (HELP, TROUBLE),
    "reset_after_commit": (HELP, TROUBLE),
    "invalid_json": (HELP, TROUBLE),
    # They do not want to hear anything.
    "blocked": (),
}


@pytest.fixture
async def person(talk: Talk) -> Person:
    talk.messenger.bot.session.timeout = 1
    return await talk.member("owner", Role.OWNER)


def test_every_kind_is_known() -> None:
    assert set(SHOWN) == kinds_of("telegram")


@pytest.mark.parametrize("kind", sorted(SHOWN))
async def test_a_message_that_fails(talk: Talk, person: Person, kind: str) -> None:
    seconds = 0.5 if kind == "slow" else 1  # slower than that is a timeout: we wait for a second
    talk.sandbox.control.fail("telegram", kind, match="/sendMessage", seconds=seconds)
    told = await person.write("/help", count=len(SHOWN[kind]))
    assert all(text_of(one).startswith(word) for one, word in zip(told, SHOWN[kind], strict=True))
    if kind == "blocked":
        while talk.sandbox.control.pending_faults()["telegram"]:
            await talk.settled()
    (told_next,) = await person.write("/register")
    assert "веб-интерфейсе" in text_of(told_next)


@pytest.mark.parametrize("kind", sorted(set(SHOWN) - {"blocked"}))
async def test_polling_goes_on(talk: Talk, person: Person, kind: str) -> None:
    talk.sandbox.control.fail("telegram", kind, match="/getUpdates", seconds=1)
    (told,) = await person.write("/help")
    assert text_of(told).startswith(HELP)
    while talk.sandbox.control.pending_faults()["telegram"]:
        await talk.settled()
    (told,) = await person.write("/register")
    assert "веб-интерфейсе" in text_of(told)


async def test_a_blocking_person_is_remembered_until_they_come_back(
    talk: Talk, person: Person
) -> None:
    await person.write("/help")
    await person.post("/telegram/block", chat_id=person.id)
    await talk.until_blocked(person, blocked=True)
    await person.post("/telegram/block", chat_id=person.id, blocked=False)
    await talk.until_blocked(person, blocked=False)
    (told,) = await person.write("/help")
    assert text_of(told).startswith(HELP)


async def test_a_refused_send_marks_the_person(talk: Talk, person: Person) -> None:
    talk.sandbox.control.fail("telegram", "blocked", match="/sendMessage")
    await person.write("/help", count=0)
    await talk.until_blocked(person, blocked=True)
