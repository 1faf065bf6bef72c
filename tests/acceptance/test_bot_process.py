"""The bot as a process: restarts, repeated updates, several people, Telegram's pace, its lock."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from psycopg.conninfo import make_conninfo
from tests.fixtures.application import empty_mongodb
from tests.fixtures.bot_chat import OWN, Person, Talk, bot_at_work, labels, text_of
from tests.fixtures.call_library import Library, done, opened_library
from tests.fixtures.command_line import command_line
from tests.fixtures.sandbox import RunningSandbox

from medai.bot import running
from medai.bot.pace import Pace
from medai.bot.running import run_bot
from medai.errors import ProviderStoppedError, SettingsError, StoreError
from medai.infra.postgres import HeldLock, Pool, watched_lock
from medai.members.models import Role
from medai.sandbox.credentials import BOT_TOKEN


def bot_settings(sandbox: RunningSandbox, **changes: str) -> dict[str, str]:
    telegram = f"{sandbox.url}/telegram"
    return {"bot_token": BOT_TOKEN, "telegram_api_base_url": telegram, **changes}


@pytest.fixture(params=["postgres", "mongodb"])
async def library(
    request: pytest.FixtureRequest, sandbox: RunningSandbox, prepared_dsn: str, tmp_path: Path
) -> AsyncIterator[Library]:
    """Two clinics over either document store; no bot is running."""
    async with AsyncExitStack() as stack:
        settings = bot_settings(sandbox)
        if request.param == "mongodb":
            uri = request.getfixturevalue("mongodb_uri")
            uri, name = await stack.enter_async_context(empty_mongodb(uri))
            settings |= {"mongodb_uri": uri, "mongodb_name": name}
        opened = opened_library(prepared_dsn, tmp_path / "data", **settings)
        yield await stack.enter_async_context(opened)


async def test_a_dialogue_goes_on_after_a_restart(
    library: Library, sandbox: RunningSandbox
) -> None:
    await library.add_done(101, administrator="Мария Иванова")
    async with bot_at_work(library.app) as messenger:
        talk = Talk(library, sandbox, messenger)
        person = await talk.member("owner", Role.OWNER)
        await person.write("/report")
        await person.tap("Свои даты")
        await person.write("19.11.2026")
    async with bot_at_work(library.app):
        (people,) = await person.write("19.11.2026")
        assert "Мария Иванова" in labels(people["message"])[1]
        await person.tap("▫️ Мария")
    async with bot_at_work(library.app):
        (sure,) = await person.tap("Дальше")
        assert "Только звонки: Мария Иванова" in text_of(sure)


async def test_what_was_written_while_nobody_listened_is_answered(
    library: Library, sandbox: RunningSandbox
) -> None:
    async with bot_at_work(library.app) as messenger:
        person = await Talk(library, sandbox, messenger).member("owner", Role.OWNER)
    await person.post("/telegram/messages", chat_id=person.id, text="/help")
    async with bot_at_work(library.app):
        (told,) = await person.hear(1)
        assert text_of(told).startswith("Что умеет бот")


async def test_work_under_way_goes_on_in_the_next_process(
    library: Library, sandbox: RunningSandbox
) -> None:
    call = await library.add(101)
    async with bot_at_work(library.app, drain_seconds=0.1) as messenger:
        talk = Talk(library, sandbox, messenger)
        person = await talk.member("owner", Role.OWNER)
        await talk.with_button(person, "Расшифруй", f"c:{call.id}:t")
        (shown,) = await person.tap("Расшифруй")
    fields = done(101)
    await library.app.calls.change(
        call.id, {name: fields[name].model_dump() for name in ("audio", "transcript")}
    )
    async with bot_at_work(library.app):
        (card,) = await person.hear(1)
    assert "Расшифровка: готова ✅" in text_of(card)
    assert card["message"]["message_id"] == shown["message"]["message_id"]


async def test_an_update_that_comes_twice_is_answered_once(talk: Talk) -> None:
    person = await talk.member("owner", Role.OWNER)
    await person.write("/help")
    await person.post("/telegram/repeat-update")
    (answer,) = await person.write("/register")
    assert "веб-интерфейсе" in text_of(answer)
    told = [one["text"] for one in await person.messages() if one["from"]["is_bot"]]
    assert len(told) == 2


async def test_two_people_at_once_do_not_meet(talk: Talk) -> None:
    await talk.library.add(101, lead_name="Сделка")
    one = await talk.member("owner", Role.OWNER)
    other = await talk.member("administrator", Role.MANAGER)

    async def ask(person: Person, day: str) -> list[str]:
        await person.write("/leads")
        (asked,) = await person.tap("Другая дата")
        (shown,) = await person.write(day)
        return [text_of(asked), text_of(shown)]

    first, second = await asyncio.gather(ask(one, "19.11.2026"), ask(other, "18.11.2026"))
    assert "Звонки за 19.11.2026" in first[1]
    assert "Звонки за 18.11.2026" in second[1]


async def test_ten_fast_messages_are_answered_in_order(talk: Talk) -> None:
    person = await talk.member("owner", Role.OWNER)
    await person.write("/leads")
    for _ in range(5):
        await person.post("/telegram/messages", chat_id=person.id, text="/leads")
        await person.post("/telegram/messages", chat_id=person.id, text="18.11.2026")
    told = [text_of(one).splitlines()[0] for one in await person.hear(10)]
    question = "За какой день показать звонки? Выберите или напишите дату: ДД.ММ.ГГГГ"
    assert told == [question, "Звонки за 18.11.2026"] * 5


async def test_telegrams_wait_is_kept(talk: Talk) -> None:
    person = await talk.member("owner", Role.OWNER)
    talk.sandbox.control.fail("telegram", "rate_limit_json", match="/sendMessage", seconds=2)
    started = monotonic()
    (told,) = await person.write("/help")
    assert text_of(told).startswith("Что умеет бот")
    assert monotonic() - started >= 2


@pytest.mark.parametrize(
    ("messages", "limits"),
    [(6, {"per_chat_second": 5, "at_once_in_chat": 1}),
     (30, {"per_second": 5, "per_chat_second": 1000, "at_once_in_chat": 30})],
    ids=["of a chat", "of all chats"],
)  # fmt: skip
async def test_the_flood_limit_is_respected(
    talk: Talk, messages: int, limits: dict[str, Any]
) -> None:
    person = await talk.member("owner", Role.OWNER)
    bot = talk.messenger.bot
    bot.session.middleware(Pace(talk.app.members.blocked, **limits))
    started = monotonic()
    await asyncio.gather(*(bot.send_message(person.id, str(one)) for one in range(messages)))
    assert monotonic() - started >= 1  # the first, or 25 of all, at once; the others in turn
    assert len(await person.messages()) == messages


async def test_a_handler_under_way_ends_before_the_process(talk: Talk) -> None:
    person = await talk.member("owner", Role.OWNER)
    talk.sandbox.control.fail("telegram", "slow", match="/sendMessage", seconds=1)
    await person.post("/telegram/messages", chat_id=person.id, text="/help")
    while talk.sandbox.control.pending_faults()["telegram"]:
        await talk.settled()
    handlers = set(talk.messenger.dispatcher._handle_update_tasks)
    assert len(handlers) == 1
    await talk.messenger.drain()
    assert all(task.done() and not task.cancelled() for task in handlers)
    (told,) = await person.hear(1)
    assert text_of(told).startswith("Что умеет бот")


async def test_telegram_knows_the_commands(talk: Talk) -> None:
    known = [one["command"] for one in talk.sandbox.control.get("/telegram/state")["commands"]]
    assert known == ["start", "leads", "report", "profile", "help", "cancel"]


async def test_one_process_for_a_token(library: Library, sandbox: RunningSandbox) -> None:
    said: asyncio.Queue[str] = asyncio.Queue()
    person = Person(501, sandbox.control)
    first = asyncio.create_task(run_bot(library.app, said.put_nowait))
    await person.write("/start")
    assert said.empty()
    second = asyncio.create_task(run_bot(library.app, said.put_nowait))
    assert await said.get() == "Этого бота уже ведёт другой процесс: жду, пока он закончит"

    await person.write("/start")
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await person.write("/start")  # the second one answers
    assert said.empty()
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)


_BREAK_LOCKS = """
SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
 WHERE l.locktype = 'advisory' AND l.granted AND a.application_name = 'medai-lock'
   AND a.datname = current_database()
"""


async def test_a_lost_lock_moves_the_bot_to_the_next_process(
    sandbox: RunningSandbox, prepared_dsn: str, tmp_path: Path
) -> None:
    """As after a restart of PostgreSQL: never two that ask Telegram for updates."""
    settings = bot_settings(sandbox)
    said: list[asyncio.Queue[str]] = [asyncio.Queue(), asyncio.Queue()]
    person = Person(501, sandbox.control)
    async with AsyncExitStack() as stack:
        apps = []
        for number in range(2):  # another address is another process: locks meet in the server
            dsn = make_conninfo(prepared_dsn, options=f"-c extra_float_digits={number}")
            opened = opened_library(dsn, tmp_path / f"data{number}", **settings)
            apps.append((await stack.enter_async_context(opened)).app)
        first = asyncio.create_task(run_bot(apps[0], said[0].put_nowait))
        await person.write("/start")
        second = asyncio.create_task(run_bot(apps[1], said[1].put_nowait))
        assert "ведёт другой процесс" in await said[1].get()
        async with apps[0].pool.connection() as connection:
            await connection.execute(_BREAK_LOCKS)
        async with asyncio.timeout(10):
            assert "ведёт другой процесс" in await said[0].get()
        await person.write("/start")
        assert not first.done()
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        await person.write("/start")  # the first one has it again
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
    answers = [one for one in await person.messages() if one["from"]["is_bot"]]
    assert len(answers) == 3


async def test_a_bot_whose_store_was_away_comes_back(
    library: Library, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_FIRST_PAUSE_SECONDS", 0.01)
    person = Person(501, sandbox.control)
    bot = asyncio.create_task(run_bot(library.app, print))
    await person.write("/start")
    attempts, is_back = iter(range(2)), asyncio.Event()

    def away(pool: Pool, key: str) -> AbstractAsyncContextManager[HeldLock]:
        if next(attempts, None) is not None:
            raise StoreError("PostgreSQL недоступен")
        is_back.set()
        return watched_lock(pool, key)

    monkeypatch.setattr(running, "watched_lock", away)
    async with library.app.pool.connection() as connection:
        await connection.execute(_BREAK_LOCKS)
    async with asyncio.timeout(10):
        await is_back.wait()
    await person.write("/start")
    assert not bot.done()
    bot.cancel()
    await asyncio.gather(bot, return_exceptions=True)


async def test_telegram_may_be_away_at_the_start(
    library: Library, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_FIRST_PAUSE_SECONDS", 0.01)
    for kind in ("server_error", "reset"):
        sandbox.control.fail("telegram", kind, match="/getMe", times=2)
    bot = asyncio.create_task(run_bot(library.app, print))
    await Person(501, sandbox.control).write("/start")
    bot.cancel()
    await asyncio.gather(bot, return_exceptions=True)


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"bot_token": ""}, SettingsError),
        ({"bot_token": "нет такого"}, SettingsError),
        ({"bot_token": "43:OTHER"}, ProviderStoppedError),
        ({"telegram_webhook_url": "https://medai.example/api/telegram/webhook"}, SettingsError),
    ],
)
async def test_a_bot_that_cannot_work_says_why(
    sandbox: RunningSandbox,
    prepared_dsn: str,
    tmp_path: Path,
    settings: dict[str, Any],
    error: type[Exception],
) -> None:
    changed = bot_settings(sandbox, **settings)
    async with opened_library(prepared_dsn, tmp_path / "data", **changed) as library:
        with pytest.raises(error) as caught:
            await run_bot(library.app, print)
    assert "43:OTHER" not in str(caught.value)


async def test_the_command_answers_and_never_tells_its_token(
    sandbox: RunningSandbox, prepared_dsn: str, tmp_path: Path
) -> None:
    async with opened_library(prepared_dsn, tmp_path / "data") as library:
        _, code = await library.app.invitations.create(OWN, Role.OWNER, by="cli")
    medai = command_line(sandbox.url, prepared_dsn, tmp_path)
    medai.settings.update({"BOT_TOKEN": BOT_TOKEN, "TELEGRAM_API_BASE_URL":
                           f"{sandbox.url}/telegram", "LOG_LEVEL": "DEBUG"})  # fmt: skip
    sandbox.control.fail("telegram", "reset", match="/getUpdates")
    process = await medai.start("bot")
    person = Person(501, sandbox.control)
    try:
        (welcome,) = await person.write(f"/start {code}")
        assert "Ваша роль — владелец" in text_of(welcome)
    finally:
        process.terminate()
        async with asyncio.timeout(30):
            await process.wait()
    log = (tmp_path / "bot.log").read_text()
    assert process.returncode == 143
    assert "SANDBOX" not in log
    assert code not in log
