"""The test's side of the chats: people who write and tap, and what the bot did."""

import base64
from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from medai.sandbox.telegram import people
from medai.sandbox.telegram.bot import Bot
from medai.sandbox.telegram.chats import Chat

_LONGEST_WAIT = 30.0


class Order(BaseModel):
    """A body without unknown fields. `chat_id` of a private chat is the person's id."""

    model_config = ConfigDict(extra="forbid")
    chat_id: int


class WriteOrder(Order):
    """A person's message: text, or a document in base64. `user_id` matters in groups."""

    text: str = ""
    first_name: str = "Ольга"
    language_code: str | None = "ru"
    user_id: int | None = None
    file_name: str | None = None
    file_base64: str = ""
    content_type: str = "application/octet-stream"


class TapOrder(Order):
    """A tap on the button with this text; newest message first, or the given one."""

    label: str
    message_id: int | None = None
    user_id: int | None = None


class BlockOrder(Order):
    """The person blocks or unblocks the bot."""

    blocked: bool = True


class MoveOrder(Order):
    """The group becomes a supergroup with another id."""

    moved_to: int


def build_router(bot: Bot) -> APIRouter:
    """Routes under /control/telegram."""
    router = APIRouter()
    _add_people(router, bot)
    _add_views(router, bot)
    return router


def _add_people(router: APIRouter, bot: Bot) -> None:
    @router.post("/messages")
    async def write(order: WriteOrder) -> dict[str, Any]:
        chat = bot.chats.open(order.chat_id, order.first_name, order.language_code)
        if order.file_name is None:
            return people.write(bot, chat, order.text, order.user_id)
        content = base64.b64decode(order.file_base64)
        return people.send_file(bot, chat, order.file_name, content, order.content_type)

    @router.post("/tap")
    async def tap(order: TapOrder) -> dict[str, Any]:
        chat = _chat(bot, order.chat_id)
        try:
            return people.tap(
                bot, chat, order.label, message_id=order.message_id, user_id=order.user_id
            )
        except people.NoButtonError as error:
            raise HTTPException(404, str(error)) from error

    @router.post("/chats")
    async def open_chat(order: WriteOrder) -> dict[str, Any]:
        return bot.chats.open(order.chat_id, order.first_name, order.language_code).api

    @router.post("/block")
    async def block(order: BlockOrder) -> dict[str, bool]:
        people.set_blocked(bot, _chat(bot, order.chat_id), blocked=order.blocked)
        return {"ok": True}

    @router.post("/move")
    async def move(order: MoveOrder) -> dict[str, bool]:
        _chat(bot, order.chat_id).moved_to = order.moved_to
        bot.chats.open(order.moved_to, "")
        return {"ok": True}

    @router.post("/repeat-update")
    async def repeat() -> dict[str, int]:
        bot.updates.repeat_last()
        return {"pending": bot.updates.pending}


def _add_views(router: APIRouter, bot: Bot) -> None:
    @router.get("/messages")
    async def messages(chat_id: int) -> list[dict[str, Any]]:
        """The chat as it looks now, both sides, oldest first."""
        return list(_chat(bot, chat_id).messages.values())

    @router.get("/log")
    async def log(after: int = 0, count: int = 0, wait: float = 0.0) -> list[dict[str, Any]]:
        """What the bot did after entry `after`; waits until there are `count` such entries."""
        return await bot.chats.wait(after, count, min(wait, _LONGEST_WAIT))

    @router.get("/files/{file_id}")
    async def file(file_id: str) -> Response:
        stored = bot.chats.files.get(file_id)
        if stored is None:
            raise HTTPException(404, f"no file {file_id}")
        return Response(stored.content, media_type=stored.content_type)

    @router.get("/state")
    async def state() -> dict[str, Any]:
        return {
            "commands": bot.commands,
            "webhook": bot.webhook,
            "pending_updates": bot.updates.pending,
            "callbacks": bot.chats.callbacks,
        }


def _chat(bot: Bot, chat_id: int) -> Chat:
    chat = bot.chats.chats.get(chat_id)
    if chat is None:
        raise HTTPException(404, f"no chat {chat_id}: nobody wrote there yet")
    return chat
