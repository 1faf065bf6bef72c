"""The HTTP surface: /bot<token>/<method> and file downloads."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response

from medai.sandbox.connection import after_work, before_work
from medai.sandbox.credentials import BOT_TOKEN
from medai.sandbox.faults import Fault
from medai.sandbox.telegram import account, files, sending
from medai.sandbox.telegram.arguments import Arguments, read_arguments
from medai.sandbox.telegram.bot import Bot
from medai.sandbox.telegram.chats import StoredFile
from medai.sandbox.telegram.errors import RefusedError, refused, scripted

Method = Callable[[Bot, Arguments], Awaitable[Any]]

METHODS: dict[str, Method] = {
    "getMe": account.get_me,
    "getUpdates": account.get_updates,
    "setWebhook": account.set_webhook,
    "deleteWebhook": account.delete_webhook,
    "getWebhookInfo": account.get_webhook_info,
    "setMyCommands": account.set_my_commands,
    "getMyCommands": account.get_my_commands,
    "answerCallbackQuery": account.answer_callback,
    "sendChatAction": account.send_chat_action,
    "close": account.agree,
    "logOut": account.agree,
    "sendMessage": sending.send_message,
    "editMessageText": sending.edit_text,
    "editMessageCaption": sending.edit_caption,
    "editMessageReplyMarkup": sending.edit_markup,
    "deleteMessage": sending.delete_message,
    "sendDocument": files.send_document,
    "sendAudio": files.send_audio,
    "sendPhoto": files.send_photo,
    "getFile": files.get_file,
}
_BY_NAME = {name.lower(): (name, method) for name, method in METHODS.items()}
"""Method names are case-insensitive."""


def build_router(bot: Bot) -> APIRouter:
    """The routes below the API server's base URL (/telegram)."""
    router = APIRouter()

    @router.api_route("/bot{token}/{name}", methods=["GET", "POST"])
    async def call(request: Request, token: str, name: str) -> Response:
        known, method = _BY_NAME.get(name.lower(), (name, _unknown))
        fault = bot.sandbox.faults.take("telegram", f"{request.method} /{known}")
        early = await before_work(fault)
        if early is not None:
            return early
        try:
            _check_token(token)
            result = await _called(bot, method, request, fault)
        except RefusedError as error:
            result = refused(error)
        return after_work(fault, result)

    @router.get("/file/bot{token}/{path:path}")
    async def download(token: str, path: str) -> Response:
        try:
            file = _file(bot, token, path)
        except RefusedError as error:
            return refused(error)
        return Response(file.content, media_type=file.content_type)

    return router


async def _called(bot: Bot, method: Method, request: Request, fault: Fault | None) -> JSONResponse:
    if (refusal := scripted(fault)) is not None:
        raise refusal
    arguments = await read_arguments(request)
    return JSONResponse({"ok": True, "result": await method(bot, arguments)})


async def _unknown(bot: Bot, arguments: Arguments) -> Any:  # noqa: ARG001
    raise RefusedError(404, "method not found")


def _file(bot: Bot, token: str, path: str) -> StoredFile:
    _check_token(token)
    file = bot.chats.files.get(path.rpartition("/")[2])
    if file is None or file.path != path:
        raise RefusedError(404)
    return file


def _check_token(token: str) -> None:
    if token != BOT_TOKEN:
        raise RefusedError(401)
