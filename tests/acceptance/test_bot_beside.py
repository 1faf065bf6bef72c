"""`medai run` keeps the bot beside the API, and ends with it."""

import asyncio
import os
import signal
from pathlib import Path

from tests.fixtures.application import API_KEY, SECRET
from tests.fixtures.bot_chat import OWN, Person, text_of
from tests.fixtures.call_library import opened_library
from tests.fixtures.command_line import command_line
from tests.fixtures.sandbox import RunningSandbox
from tests.fixtures.stores import free_port

from medai.members.models import Role
from medai.sandbox.credentials import BOT_TOKEN


async def test_the_bot_lives_and_ends_with_the_service(
    sandbox: RunningSandbox, prepared_dsn: str, tmp_path: Path
) -> None:
    async with opened_library(prepared_dsn, tmp_path / "data") as library:
        _, code = await library.app.invitations.create(OWN, Role.OWNER, by="cli")
    medai = command_line(sandbox.url, prepared_dsn, tmp_path)
    telegram = {"BOT_TOKEN": BOT_TOKEN, "TELEGRAM_API_BASE_URL": f"{sandbox.url}/telegram"}
    keys = {"API_KEY": API_KEY, "MEDAI_SECRET": SECRET, "MEDAI_PORT": str(free_port())}
    medai.settings.update({**telegram, **keys})
    service = await medai.start("run")
    person = Person(501, sandbox.control)
    try:
        (welcome,) = await person.write(f"/start {code}")
        assert "Ваша роль — владелец" in text_of(welcome)
    finally:
        os.kill(service.pid, signal.SIGTERM)
        async with asyncio.timeout(60):
            await service.wait()
    assert service.returncode == 143
    log = (tmp_path / "run.log").read_text()
    assert log.count("Остановлено.") == 1
    assert "SANDBOX" not in log
