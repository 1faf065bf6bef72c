"""Methods about the bot itself, its updates and its answers to taps."""

import re
from typing import Any
from urllib.parse import urlsplit

from medai.sandbox.telegram.arguments import Arguments
from medai.sandbox.telegram.bot import Bot
from medai.sandbox.telegram.chats import BOT_USER
from medai.sandbox.telegram.errors import RefusedError, bad
from medai.sandbox.telegram.sending import chat_of

_COMMAND = re.compile(r"^[a-z0-9_]{1,32}$")
_MOST_COMMANDS, _LONGEST_DESCRIPTION = 100, 256
_LONGEST_ANSWER = 200
_PORTS = (None, 443, 80, 88, 8443)
_SECRET = re.compile(r"^[A-Za-z0-9_-]{1,256}$")
_ACTIONS = frozenset(
    {
        *("typing", "upload_photo", "record_video", "upload_video", "record_voice"),
        *("upload_voice", "upload_document", "choose_sticker", "find_location"),
    }
)
_WEBHOOK_ACTIVE = (
    "can't use getUpdates method while webhook is active; "
    "use deleteWebhook to delete the webhook first"
)
_LATE = "query is too old and response timeout expired or query ID is invalid"


async def get_me(bot: Bot, arguments: Arguments) -> dict[str, Any]:  # noqa: ARG001
    """getMe."""
    rights = {"can_join_groups": True, "can_read_all_group_messages": False}
    return {**BOT_USER, **rights, "supports_inline_queries": False}


async def get_updates(bot: Bot, arguments: Arguments) -> list[dict[str, Any]]:
    """getUpdates: a real long poll."""
    if bot.webhook["url"]:
        raise RefusedError(409, _WEBHOOK_ACTIVE)
    bot.updates.allow(arguments.json("allowed_updates"))
    offset, limit = arguments.whole("offset") or 0, arguments.whole("limit") or 100
    return await bot.updates.poll(offset, limit, arguments.whole("timeout") or 0)


async def set_webhook(bot: Bot, arguments: Arguments) -> bool:
    """setWebhook. The sandbox checks and stores it; it delivers nothing."""
    url = arguments.text("url") or ""
    parts = urlsplit(url)
    if url and parts.scheme != "https":
        raise bad("bad webhook: An HTTPS URL must be provided for webhook")
    if url and parts.port not in _PORTS:
        raise bad("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
    secret = arguments.text("secret_token")
    if secret and not _SECRET.match(secret):
        raise bad("secret token contains unallowed characters")
    _drop_if_asked(bot, arguments)
    bot.updates.allow(arguments.json("allowed_updates"))
    bot.webhook = {"url": url, "max_connections": arguments.whole("max_connections") or 40}
    bot.updates.stop_poller()
    return True


async def delete_webhook(bot: Bot, arguments: Arguments) -> bool:
    """deleteWebhook."""
    _drop_if_asked(bot, arguments)
    bot.webhook = {"url": ""}
    return True


async def get_webhook_info(bot: Bot, arguments: Arguments) -> dict[str, Any]:  # noqa: ARG001
    """getWebhookInfo."""
    pending = {"pending_update_count": bot.updates.pending}
    return {**bot.webhook, "has_custom_certificate": False, **pending}


async def set_my_commands(bot: Bot, arguments: Arguments) -> bool:
    """setMyCommands."""
    commands = arguments.json("commands") or []
    if len(commands) > _MOST_COMMANDS:
        raise bad("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not _COMMAND.match(str(command.get("command", ""))):
            raise bad("BOT_COMMAND_INVALID")
        if not 1 <= len(str(command.get("description", ""))) <= _LONGEST_DESCRIPTION:
            raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
    bot.commands = commands
    return True


async def get_my_commands(bot: Bot, arguments: Arguments) -> list[dict[str, Any]]:  # noqa: ARG001
    """getMyCommands."""
    return bot.commands


async def answer_callback(bot: Bot, arguments: Arguments) -> bool:
    """answerCallbackQuery."""
    query_id = arguments.text("callback_query_id") or ""
    if query_id not in bot.chats.callbacks:
        raise bad(_LATE)
    text = arguments.text("text") or ""
    if len(text) > _LONGEST_ANSWER:
        raise bad("MESSAGE_TOO_LONG")
    answer = {"text": text, "show_alert": arguments.flag("show_alert")}
    bot.chats.callbacks[query_id] = answer
    bot.chats.record("answered", None, callback_query_id=query_id, **answer)
    return True


async def send_chat_action(bot: Bot, arguments: Arguments) -> bool:
    """sendChatAction."""
    chat = chat_of(bot, arguments)
    action = arguments.text("action")
    if action not in _ACTIONS:
        raise bad("wrong parameter action in request")
    bot.chats.record("action", chat.id, action=action)
    return True


async def agree(bot: Bot, arguments: Arguments) -> bool:  # noqa: ARG001
    """close and logOut: nothing to do here."""
    return True


def _drop_if_asked(bot: Bot, arguments: Arguments) -> None:
    if arguments.flag("drop_pending_updates"):
        bot.updates.drop()
