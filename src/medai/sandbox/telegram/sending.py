"""Methods that write messages: send, edit, delete."""

from typing import Any

from medai.sandbox.telegram import keyboards
from medai.sandbox.telegram.arguments import Arguments
from medai.sandbox.telegram.bot import Bot
from medai.sandbox.telegram.chats import BOT_USER, Chat, Message
from medai.sandbox.telegram.errors import BLOCKED, RefusedError, bad
from medai.sandbox.telegram.html import formatted, utf16

LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024
_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)


def chat_of(bot: Bot, arguments: Arguments) -> Chat:
    """The chat to write to. Raises RefusedError: 400 unknown, 403 blocked by the person."""
    chat_id = arguments.whole("chat_id")
    if chat_id is None:
        raise bad("chat_id is empty")
    chat = bot.chats.chats.get(chat_id)
    if chat is None:
        raise bad("chat not found")
    if chat.moved_to is not None:
        raise RefusedError(
            400,
            "group chat was upgraded to a supergroup chat",
            migrate_to_chat_id=chat.moved_to,
        )
    if chat.blocked:
        raise RefusedError(403, BLOCKED)
    return chat


def captioned(arguments: Arguments, name: str, longest: int) -> dict[str, Any]:
    """The field `name` (text or caption) with its entities, {} when empty."""
    shown = formatted(arguments.text(name) or "", arguments.text("parse_mode"))
    if utf16(shown.text) > longest:
        raise bad("message is too long" if name == "text" else "message caption is too long")
    if not shown.text.strip():
        return {}
    key = "entities" if name == "text" else "caption_entities"
    return {name: shown.text, **({key: shown.entities} if shown.entities else {})}


def put(bot: Bot, chat: Chat, method: str, arguments: Arguments, content: Message) -> Message:
    """Store a message of the bot, log it, enter it in the ledger."""
    markup = keyboards.checked(arguments.json("reply_markup"))
    if markup is not None:
        content = {**content, "reply_markup": markup}
    message = bot.chats.store(chat, BOT_USER, content)
    bot.chats.record("sent", chat.id, method=method, message=dict(message))
    bot.sandbox.ledger.telegram_message(chat.id, method)
    return shown(message)


def shown(message: Message) -> Message:
    """The message as answers carry it: only inline keyboards come back."""
    if "inline_keyboard" in message.get("reply_markup", {"inline_keyboard": []}):
        return message
    return {key: value for key, value in message.items() if key != "reply_markup"}


async def send_message(bot: Bot, arguments: Arguments) -> Message:
    """sendMessage."""
    chat = chat_of(bot, arguments)
    content = captioned(arguments, "text", LONGEST_TEXT)
    if not content:
        raise bad("message text is empty")
    return put(bot, chat, "sendMessage", arguments, content)


async def edit_text(bot: Bot, arguments: Arguments) -> Message:
    """editMessageText."""
    content = captioned(arguments, "text", LONGEST_TEXT)
    if not content:
        raise bad("message text is empty")
    return _edited(bot, arguments, content, dropped=("text", "entities", "reply_markup"))


async def edit_caption(bot: Bot, arguments: Arguments) -> Message:
    """editMessageCaption."""
    content = captioned(arguments, "caption", LONGEST_CAPTION)
    dropped = ("caption", "caption_entities", "reply_markup")
    return _edited(bot, arguments, content, dropped=dropped)


async def edit_markup(bot: Bot, arguments: Arguments) -> Message:
    """editMessageReplyMarkup."""
    return _edited(bot, arguments, {}, dropped=("reply_markup",))


async def delete_message(bot: Bot, arguments: Arguments) -> bool:
    """deleteMessage."""
    chat = chat_of(bot, arguments)
    message_id = arguments.whole("message_id")
    if message_id is None or chat.messages.pop(message_id, None) is None:
        raise bad("message to delete not found")
    bot.chats.record("deleted", chat.id, message_id=message_id)
    return True


def _edited(
    bot: Bot, arguments: Arguments, content: Message, *, dropped: tuple[str, ...]
) -> Message:
    chat = chat_of(bot, arguments)
    old = chat.messages.get(arguments.whole("message_id") or 0)
    if old is None:
        raise bad("message to edit not found")
    if old["from"] != BOT_USER:
        raise bad("message can't be edited")
    markup = keyboards.checked(arguments.json("reply_markup"))
    new = {key: value for key, value in old.items() if key not in dropped} | content
    if markup is not None and markup.get("inline_keyboard"):
        new["reply_markup"] = markup
    if {**new, "edit_date": 0} == {**old, "edit_date": 0}:
        raise bad(_NOT_MODIFIED)
    new["edit_date"] = int(bot.sandbox.clock().timestamp())
    chat.messages[old["message_id"]] = new
    bot.chats.record("edited", chat.id, message=dict(new))
    return new
