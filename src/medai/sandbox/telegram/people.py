"""The people at the other end: they write, tap buttons, block the bot."""

import itertools
from typing import Any

from medai.sandbox.telegram import keyboards
from medai.sandbox.telegram.bot import Bot
from medai.sandbox.telegram.chats import BOT_USER, Chat, Message
from medai.sandbox.telegram.files import described

_taps = itertools.count(1)


class NoButtonError(Exception):
    """No message of the chat shows a button with this label."""


def write(bot: Bot, chat: Chat, text: str, user_id: int | None = None) -> Message:
    """A person writes; a leading /command gets its entity."""
    content: dict[str, Any] = {"text": text}
    if text.startswith("/"):
        length = len(text.split(maxsplit=1)[0])
        content["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
    return _arrive(bot, chat, content, user_id)


def send_file(bot: Bot, chat: Chat, name: str, content: bytes, content_type: str) -> Message:
    """A person sends a document."""
    file = bot.chats.keep_file(name, content, content_type)
    return _arrive(bot, chat, described("document", file), None)


def tap(
    bot: Bot, chat: Chat, label: str, *, message_id: int | None = None, user_id: int | None = None
) -> dict[str, Any]:
    """Tap the button with this text on the newest message that shows it.

    A callback button queues a callback_query, a reply button sends its text, a link gives its
    `url`. Raises NoButtonError.
    """
    message, button = _shown(chat, label, message_id)
    if "url" in button:
        return {"url": button["url"]}
    if "callback_data" not in button:
        return {"message": write(bot, chat, label, user_id)}
    query_id = str(10_000 + next(_taps))
    bot.chats.callbacks[query_id] = None
    query = {
        "id": query_id,
        "from": _person(chat, user_id),
        "chat_instance": f"chat-{chat.id}",
        "data": button["callback_data"],
        "message": message,
    }
    bot.updates.add("callback_query", query)
    return {"callback_query_id": query_id, "data": button["callback_data"]}


def set_blocked(bot: Bot, chat: Chat, *, blocked: bool) -> None:
    """The person stops the bot or starts it again; the bot is told by my_chat_member."""
    chat.blocked = blocked
    old, new = ("member", "kicked") if blocked else ("kicked", "member")
    content = {
        "chat": chat.api,
        "from": chat.person,
        "date": int(bot.sandbox.clock().timestamp()),
        "old_chat_member": _membership(old),
        "new_chat_member": _membership(new),
    }
    bot.updates.add("my_chat_member", content)


def _arrive(bot: Bot, chat: Chat, content: dict[str, Any], user_id: int | None) -> Message:
    message = bot.chats.store(chat, _person(chat, user_id), content)
    bot.updates.add("message", message)
    return message


def _shown(chat: Chat, label: str, message_id: int | None) -> tuple[Message, dict[str, Any]]:
    for message in reversed(chat.messages.values()):
        if message_id in (None, message["message_id"]):
            button = keyboards.button(message.get("reply_markup"), label)
            if button is not None:
                return message, button
    shown = [keyboards.labels(message.get("reply_markup")) for message in chat.messages.values()]
    last = [each for each in shown if each][-2:]
    raise NoButtonError(f"no button {label!r}; last keyboards: {last}")


def _person(chat: Chat, user_id: int | None) -> dict[str, Any]:
    return chat.person if user_id is None else {**chat.person, "id": user_id}


def _membership(status: str) -> dict[str, Any]:
    until = {"until_date": 0} if status == "kicked" else {}
    return {"user": BOT_USER, "status": status, **until}
