"""The Telegram simulator, driven by unmodified aiogram over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiogram import Bot, Dispatcher, F
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.enums import ParseMode
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.filters import CommandStart
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
)
from tests.fixtures.sandbox_dialogues import SmallSandbox

from medai.sandbox.credentials import BOT_TOKEN

CHAT = 1001
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


def make_bot(url: str, token: str = BOT_TOKEN) -> Bot:
    session = AiohttpSession(api=TelegramAPIServer.from_base(f"{url}/telegram"))
    return Bot(token, session, DefaultBotProperties(parse_mode=ParseMode.HTML))


@pytest.fixture
async def bot(small_sandbox: SmallSandbox) -> AsyncIterator[Bot]:
    async with make_bot(small_sandbox.url) as bot:
        yield bot


@pytest.fixture
def chat(small_sandbox: SmallSandbox) -> int:
    small_sandbox.control.post("/telegram/chats", chat_id=CHAT)
    return CHAT


def keyboard(label: str, data: str) -> InlineKeyboardMarkup:
    button = InlineKeyboardButton(text=label, callback_data=data)
    return InlineKeyboardMarkup(inline_keyboard=[[button]])


def in_chat(sandbox: SmallSandbox, chat_id: int = CHAT) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.control.get("/telegram/messages", chat_id=chat_id)
    return found


class Form(StatesGroup):
    name = State()


async def start(message: Message, state: FSMContext) -> None:
    await state.set_state(Form.name)
    await message.answer("Как вас зовут?")


async def named(message: Message, state: FSMContext) -> None:
    await state.clear()
    await message.answer(f"<b>{message.text}</b>, готово?", reply_markup=keyboard("Да", "yes:1"))


async def agreed(query: CallbackQuery) -> None:
    await query.answer("Принято")
    assert isinstance(query.message, Message)
    await query.message.edit_text("Записал")
    await query.message.answer_document(BufferedInputFile(b"data", "отчёт.xlsx"))


def dispatcher() -> Dispatcher:
    dp = Dispatcher()
    dp.message(CommandStart())(start)
    dp.message(Form.name)(named)
    dp.callback_query(F.data == "yes:1")(agreed)
    return dp


async def polling(bot: Bot, dp: Dispatcher, act: Callable[[], Awaitable[None]]) -> None:
    """Run real polling while `act` plays the person."""
    job = asyncio.create_task(dp.start_polling(bot, handle_signals=False, polling_timeout=1))
    try:
        await act()
    finally:
        await dp.stop_polling()
        await job


async def test_a_conversation_with_form_tap_and_file(bot: Bot, small_sandbox: SmallSandbox) -> None:
    control = small_sandbox.control

    async def log(after: int, count: int) -> list[dict[str, Any]]:
        # In a thread: the bot lives in this loop.
        query = {"after": after, "count": count, "wait": 20}
        found: list[dict[str, Any]] = await asyncio.to_thread(control.get, "/telegram/log", **query)
        assert len(found) >= count
        return found

    async def person() -> None:
        control.post("/telegram/messages", chat_id=CHAT, text="/start")
        await log(0, 1)
        control.post("/telegram/messages", chat_id=CHAT, text="Ольга")
        entry = (await log(1, 1))[0]
        assert entry["message"]["text"] == "Ольга, готово?"
        assert entry["message"]["entities"] == [{"type": "bold", "offset": 0, "length": 5}]
        control.post("/telegram/tap", chat_id=CHAT, label="Да")
        answered, edited, sent = await log(2, 3)
        assert (answered["deed"], answered["text"]) == ("answered", "Принято")
        assert (edited["deed"], edited["message"]["text"]) == ("edited", "Записал")
        assert sent["message"]["document"]["file_name"] == "отчёт.xlsx"

    await polling(bot, dispatcher(), person)
    assert control.bill()["telegram_messages"] == 3
    document = in_chat(small_sandbox)[-1]["document"]
    file = await bot.get_file(document["file_id"])
    assert file.file_path is not None
    content = await bot.download_file(file.file_path)
    assert content is not None
    assert content.read() == b"data"


async def test_updates_wait_are_confirmed_and_may_come_twice(
    bot: Bot, small_sandbox: SmallSandbox
) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=20))
    small_sandbox.control.post("/telegram/messages", chat_id=CHAT, text="раз")
    first = (await poll)[0]
    assert [each.update_id for each in await bot.get_updates(timeout=0)] == [first.update_id]
    assert await bot.get_updates(offset=first.update_id + 1, timeout=0) == []
    small_sandbox.control.post("/telegram/repeat-update")
    again = await bot.get_updates(offset=first.update_id + 1, timeout=5)
    assert [each.update_id for each in again] == [first.update_id]


async def test_unwanted_kinds_are_not_delivered(bot: Bot, small_sandbox: SmallSandbox) -> None:
    await bot.get_updates(timeout=0, allowed_updates=["callback_query"])
    small_sandbox.control.post("/telegram/messages", chat_id=CHAT, text="раз")
    assert await bot.get_updates(timeout=0) == []


async def test_a_second_poller_ends_the_first(bot: Bot, small_sandbox: SmallSandbox) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=30))
    while not first.done():
        await bot.get_updates(timeout=0)
    with pytest.raises(TelegramConflictError):
        await first


async def test_polling_and_webhook_exclude_each_other(
    bot: Bot, small_sandbox: SmallSandbox
) -> None:
    with pytest.raises(TelegramBadRequest, match="HTTPS"):
        await bot.set_webhook("http://medai.example/hook")
    await bot.set_webhook("https://medai.example/hook", secret_token="s-1")
    assert (await bot.get_webhook_info()).url == "https://medai.example/hook"
    with pytest.raises(TelegramConflictError):
        await bot.get_updates(timeout=0)
    await bot.delete_webhook(drop_pending_updates=True)
    assert await bot.get_updates(timeout=0) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("я" * 4097, "message is too long"),
        ("a < b", "Unsupported start tag"),
        ("<b>жирный", "Can't find end tag"),
        ("<h1>нет</h1>", "Unsupported start tag"),
        ("<b><i>x</b></i>", "Unmatched end tag"),
        ("<b> </b>", "text is empty"),
    ],
)
async def test_bad_texts(bot: Bot, chat: int, text: str, complaint: str) -> None:
    with pytest.raises(TelegramBadRequest, match=complaint):
        await bot.send_message(chat, text)


async def test_text_is_measured_after_entity_parsing(
    bot: Bot, small_sandbox: SmallSandbox, chat: int
) -> None:
    await bot.send_message(chat, f"<b>{'я' * 4095}</b>&lt;")
    assert in_chat(small_sandbox)[0]["text"].endswith("я<")


@pytest.mark.parametrize(
    "markup",
    [
        keyboard("Да", "я" * 33),
        keyboard(" ", "data"),
        InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="?")]]),
        InlineKeyboardMarkup(
            inline_keyboard=[[InlineKeyboardButton(text="?", url="http://localhost:8001")]]
        ),
    ],
)
async def test_bad_keyboards(bot: Bot, chat: int, markup: InlineKeyboardMarkup) -> None:
    with pytest.raises(TelegramBadRequest):
        await bot.send_message(chat, "текст", reply_markup=markup)


async def test_edits_and_deletions(bot: Bot, small_sandbox: SmallSandbox, chat: int) -> None:
    sent = await bot.send_message(chat, "один", reply_markup=keyboard("Да", "yes"))
    with pytest.raises(TelegramBadRequest, match="not modified"):
        await sent.edit_text("один", reply_markup=keyboard("Да", "yes"))
    await sent.edit_text("два", reply_markup=keyboard("Да", "yes"))
    with pytest.raises(TelegramBadRequest, match="not modified"):
        await sent.edit_reply_markup(reply_markup=keyboard("Да", "yes"))
    await sent.edit_reply_markup(reply_markup=None)
    assert "reply_markup" not in in_chat(small_sandbox)[0]
    await sent.delete()
    assert in_chat(small_sandbox) == []
    with pytest.raises(TelegramBadRequest, match="not found"):
        await sent.edit_text("три")
    with pytest.raises(TelegramBadRequest, match="not found"):
        await sent.delete()


async def test_somebody_elses_message_cannot_be_edited(
    bot: Bot, small_sandbox: SmallSandbox, chat: int
) -> None:
    theirs = small_sandbox.control.post("/telegram/messages", chat_id=chat, text="моё")
    with pytest.raises(TelegramBadRequest, match="can't be edited"):
        await bot.edit_message_text("твоё", chat_id=chat, message_id=theirs["message_id"])


async def test_unknown_callback_and_unknown_chat(bot: Bot, small_sandbox: SmallSandbox) -> None:
    with pytest.raises(TelegramBadRequest, match="query is too old"):
        await bot.answer_callback_query("77")
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await bot.send_message(5, "никто не писал")


async def test_a_blocking_person(bot: Bot, small_sandbox: SmallSandbox, chat: int) -> None:
    small_sandbox.control.post("/telegram/block", chat_id=chat)
    with pytest.raises(TelegramForbiddenError):
        await bot.send_message(chat, "новости")
    update = (await bot.get_updates(timeout=0))[0]
    assert update.my_chat_member is not None
    assert update.my_chat_member.new_chat_member.status == "kicked"


async def test_files(bot: Bot, small_sandbox: SmallSandbox, chat: int) -> None:
    sent = await bot.send_document(chat, BufferedInputFile(b"%PDF", "a.pdf"), caption="<i>к</i>")
    assert sent.document is not None
    again = await bot.send_document(chat, sent.document.file_id)
    assert again.document is not None
    assert again.document.file_id == sent.document.file_id
    photo = await bot.send_photo(chat, BufferedInputFile(PNG, "a.png"))
    assert photo.photo
    with pytest.raises(TelegramBadRequest, match="IMAGE_PROCESS_FAILED"):
        await bot.send_photo(chat, BufferedInputFile(b"text", "a.png"))
    with pytest.raises(TelegramBadRequest, match="non-empty"):
        await bot.send_document(chat, BufferedInputFile(b"", "a.pdf"))
    with pytest.raises(TelegramBadRequest, match="caption is too long"):
        await bot.send_document(chat, BufferedInputFile(b"x", "a.pdf"), caption="я" * 1025)
    with pytest.raises(TelegramBadRequest, match="file_id"):
        await bot.get_file("no-such")
    with pytest.raises(TelegramEntityTooLarge):
        await bot.send_photo(chat, BufferedInputFile(PNG * 150_000, "big.png"))


async def test_commands_actions_and_farewells(
    bot: Bot, small_sandbox: SmallSandbox, chat: int
) -> None:
    await bot.set_my_commands([BotCommand(command="report", description="Отчёт")])
    assert [each.command for each in await bot.get_my_commands()] == ["report"]
    with pytest.raises(TelegramBadRequest, match="BOT_COMMAND_INVALID"):
        await bot.set_my_commands([BotCommand(command="Отчёт", description="x")])
    await bot.send_chat_action(chat, "typing")
    with pytest.raises(TelegramBadRequest):
        await bot.send_chat_action(chat, "dancing")
    assert (await bot.me()).username == "medai_sandbox_bot"
    assert await bot.close()
    assert await bot.log_out()


async def test_a_wrong_token_and_an_unknown_method(small_sandbox: SmallSandbox) -> None:
    async with make_bot(small_sandbox.url, "43:OTHER") as other:
        with pytest.raises(TelegramUnauthorizedError):
            await other.get_me()
    async with make_bot(small_sandbox.url) as bot:
        with pytest.raises(TelegramNotFound):
            await bot.send_dice(1)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("rate_limit_json", TelegramRetryAfter),
        ("server_error", TelegramServerError),
        ("bad_key", TelegramUnauthorizedError),
        ("blocked", TelegramForbiddenError),
        ("conflict", TelegramConflictError),
        ("gateway_html", ClientDecodeError),
        ("invalid_json", ClientDecodeError),
        ("reset", TelegramNetworkError),
        ("reset_after_commit", TelegramNetworkError),
        ("timeout", TelegramNetworkError),
    ],
)
async def test_scripted_faults(
    bot: Bot,
    small_sandbox: SmallSandbox,
    chat: int,
    kind: str,
    error: type[TelegramAPIError],
) -> None:
    small_sandbox.control.fail("telegram", kind, match="/sendMessage", seconds=3)
    await bot.get_me()
    with pytest.raises(error) as caught:
        await bot.send_message(chat, "привет", request_timeout=1)
    if isinstance(caught.value, TelegramRetryAfter):
        assert caught.value.retry_after == 3
    done = kind in ("invalid_json", "reset_after_commit", "timeout")
    assert len(in_chat(small_sandbox)) == int(done)
    assert not small_sandbox.control.pending_faults()["telegram"]


async def test_taps_name_what_is_there(bot: Bot, small_sandbox: SmallSandbox, chat: int) -> None:
    await bot.send_message(chat, "выбор", reply_markup=keyboard("Отчёт", "rep"))
    with pytest.raises(Exception, match="404"):
        small_sandbox.control.post("/telegram/tap", chat_id=chat, label="Нет такой")
    tapped = small_sandbox.control.post("/telegram/tap", chat_id=chat, label="Отчёт")
    assert tapped["data"] == "rep"
    update = (await bot.get_updates(timeout=0))[0]
    assert update.callback_query is not None
    assert update.callback_query.data == "rep"


async def test_json_bodies_work_too(small_sandbox: SmallSandbox, chat: int) -> None:
    async with make_bot(small_sandbox.url) as bot:
        session = await bot.session.create_session()  # type: ignore[attr-defined]
        url = f"{small_sandbox.url}/telegram/bot42:SANDBOX/sendmessage"
        async with session.post(url, json={"chat_id": chat, "text": "из JSON"}) as answer:
            assert json.loads(await answer.text())["result"]["text"] == "из JSON"
