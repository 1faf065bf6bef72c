"""Updates by webhook: one guarded route of the API, the same bot behind it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter
from tests.fixtures.bot_chat import Talk, text_of
from tests.fixtures.call_library import opened_library
from tests.fixtures.sandbox import RunningSandbox

from medai.api.app import create_api
from medai.bootstrap import Application
from medai.bot.webhook import checked
from medai.cli.bot import webhook
from medai.errors import SettingsError
from medai.members.models import Role
from medai.sandbox.credentials import BOT_TOKEN

SECRET = "webhook-secret-of-tests"
URL = "https://medai.example/api/telegram/webhook"
PROOF = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
PATH = "/api/telegram/webhook"


def update(number: int, text: str) -> dict[str, Any]:
    user = {"id": 501, "is_bot": False, "first_name": "Ольга"}
    chat = {"id": 501, "type": "private"}
    message = {"message_id": number, "date": 1, "chat": chat, "from": user, "text": text}
    return {"update_id": number, "message": message}


def webhook_settings(sandbox: RunningSandbox) -> dict[str, str]:
    return {
        "bot_token": BOT_TOKEN,
        "telegram_api_base_url": f"{sandbox.url}/telegram",
        "telegram_webhook_url": URL,
        "telegram_webhook_secret": SECRET,
    }


Ask = Callable[[dict[str, Any], dict[str, str]], Awaitable[httpx2.Response]]


@asynccontextmanager
async def asked(app: Application, routers: list[APIRouter]) -> AsyncIterator[Ask]:
    """What posts an update, with headers, to an API with these routers."""
    transport = httpx2.ASGITransport(create_api(app, routers))
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as http:

        async def ask(body: dict[str, Any], headers: dict[str, str]) -> httpx2.Response:
            return await http.post(PATH, json=body, headers=headers)

        yield ask


async def at_work(ask: Ask, body: dict[str, Any]) -> bool:
    """Repeat the update, as Telegram does, until the bot takes it."""
    for _ in range(400):
        if (answer := await ask(body, PROOF)).status_code != 503:
            return answer.status_code == 200
        await asyncio.sleep(0.05)
    return False


async def test_the_webhook_answers_telegram_and_nobody_else(
    sandbox: RunningSandbox, prepared_dsn: str, tmp_path: Path
) -> None:
    settings = webhook_settings(sandbox)
    async with (
        opened_library(prepared_dsn, tmp_path / "data", **settings) as library,
        webhook(library.app) as routers,
        asked(library.app, routers) as ask,
    ):
        assert await at_work(ask, update(1, "/start"))
        assert sandbox.control.get("/telegram/state")["webhook"]["url"] == URL
        person = await Talk(library, sandbox, None).member("owner", Role.OWNER)  # type: ignore[arg-type]
        for given in ({}, {"X-Telegram-Bot-Api-Secret-Token": "wrong"}):
            refused = await ask(update(1, "/help"), given)
            assert refused.status_code == 403
        for _ in range(2):  # Telegram repeats what it got no answer for
            taken = await ask(update(2, "/help"), PROOF)
            assert (taken.status_code, taken.json()) == (200, {})
        await person.hear_about("Что умеет бот")
        unreadable = await ask({"update_id": "x"}, PROOF)
        assert unreadable.status_code == 200
        await ask(update(3, "/register"), PROOF)
        await person.hear_about("веб-интерфейсе")
        told = [text_of(one) for one in person.heard]
        assert len([one for one in told if "Что умеет бот" in one]) == 1


async def test_the_api_does_not_wait_for_telegram(
    sandbox: RunningSandbox, prepared_dsn: str, tmp_path: Path
) -> None:
    sandbox.control.fail("telegram", "server_error", match="/getMe", times=0)
    async with (
        opened_library(prepared_dsn, tmp_path / "data", **webhook_settings(sandbox)) as library,
        webhook(library.app) as routers,
        asked(library.app, routers) as ask,
    ):
        refused = await ask(update(1, "/start"), PROOF)
        assert refused.status_code == 503
        assert (await library.doors.stranger.get("/api/status")).status_code == 200
        sandbox.control.clear_faults()
        assert await at_work(ask, update(1, "/start"))


async def test_the_api_does_not_wait_for_another_one_with_the_bot(
    sandbox: RunningSandbox, prepared_dsn: str, tmp_path: Path
) -> None:
    settings = webhook_settings(sandbox)
    async with opened_library(prepared_dsn, tmp_path / "data", **settings) as library:
        first = webhook(library.app)
        async with asked(library.app, await first.__aenter__()) as ask_first:
            assert await at_work(ask_first, update(1, "/start"))
            async with (
                webhook(library.app) as routers,
                asked(library.app, routers) as ask_second,
            ):
                assert (await ask_second(update(2, "/start"), PROOF)).status_code == 503
                await first.__aexit__(None, None, None)
                assert (await ask_first(update(2, "/start"), PROOF)).status_code == 503
                assert await at_work(ask_second, update(2, "/start"))


async def test_without_the_setting_there_is_no_route(talk: Talk) -> None:
    async with webhook(talk.app) as routers:
        assert routers == []
    answer = await talk.library.doors.stranger.post(PATH, json=update(1, "/help"))
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("http://medai.example/api/telegram/webhook", SECRET),
        ("https://medai.example/hook", SECRET),
        (URL, ""),
        (URL, "short"),
        (URL, "с кириллицей и пробелами"),
    ],
)
async def test_a_webhook_that_cannot_work_says_why(talk: Talk, url: str, secret: str) -> None:
    values = {"telegram_webhook_url": url, "telegram_webhook_secret": secret}
    changed = type(talk.app.settings).model_validate({**talk.app.settings.model_dump(), **values})
    with pytest.raises(SettingsError):
        checked(changed)
