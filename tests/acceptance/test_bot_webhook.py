"""Updates by webhook: one guarded route of the API, the same bot behind it."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.fixtures.bot_chat import Talk, text_of
from tests.fixtures.call_library import opened_library
from tests.fixtures.sandbox import RunningSandbox

from medai.api.app import create_api
from medai.bot.webhook import checked
from medai.cli.bot import webhook
from medai.errors import SettingsError
from medai.members.models import Role
from medai.sandbox.credentials import BOT_TOKEN

SECRET = "webhook-secret-of-tests"
URL = "https://medai.example/api/telegram/webhook"
PATH = "/api/telegram/webhook"


def update(number: int, text: str) -> dict[str, Any]:
    user = {"id": 501, "is_bot": False, "first_name": "Ольга"}
    chat = {"id": 501, "type": "private"}
    message = {"message_id": number, "date": 1, "chat": chat, "from": user, "text": text}
    return {"update_id": number, "message": message}


async def test_the_webhook_answers_telegram_and_nobody_else(
    sandbox: RunningSandbox, prepared_dsn: str, tmp_path: Path
) -> None:
    settings = {
        "bot_token": BOT_TOKEN,
        "telegram_api_base_url": f"{sandbox.url}/telegram",
        "telegram_webhook_url": URL,
        "telegram_webhook_secret": SECRET,
    }
    async with (
        opened_library(prepared_dsn, tmp_path / "data", **settings) as library,
        webhook(library.app) as routers,
    ):
        assert sandbox.control.get("/telegram/state")["webhook"]["url"] == URL
        person = await Talk(library, sandbox, None).member("owner", Role.OWNER)  # type: ignore[arg-type]
        transport = httpx2.ASGITransport(create_api(library.app, routers))
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as http:
            for given in ({}, {"X-Telegram-Bot-Api-Secret-Token": "wrong"}):
                refused = await http.post(PATH, json=update(1, "/help"), headers=given)
                assert refused.status_code == 403
            proof = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
            for _ in range(2):  # Telegram repeats what it got no answer for
                taken = await http.post(PATH, json=update(2, "/help"), headers=proof)
                assert (taken.status_code, taken.json()) == (200, {})
            await person.hear_about("Что умеет бот")
            unreadable = await http.post(PATH, json={"update_id": "x"}, headers=proof)
            assert unreadable.status_code == 200
            await http.post(PATH, json=update(3, "/register"), headers=proof)
            await person.hear_about("веб-интерфейсе")
            told = [text_of(one) for one in person.heard]
            assert len([one for one in told if "Что умеет бот" in one]) == 1


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
