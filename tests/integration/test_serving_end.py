"""The API that is told to end: answers under way may end, but nobody's answer holds it for ever."""

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest
from fastapi import FastAPI
from tests.fixtures.stores import free_port

from medai.cli.serving import answer, listening
from medai.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_END_SECONDS = 20.0


class Serving:
    """An API with one door that answers when it is let; `asked` once somebody stands before it."""

    def __init__(self) -> None:
        self.asked, self.may_answer = asyncio.Event(), asyncio.Event()
        self.port = free_port()
        self.api = FastAPI()
        self.api.get("/slow")(self._slow)

    async def _slow(self) -> str:
        self.asked.set()
        await self.may_answer.wait()
        return "done"

    @asynccontextmanager
    async def started(self, folder: Path, drain: int) -> "AsyncIterator[asyncio.Task[None]]":
        settings = Settings(_env_file=None, medai_port=self.port, medai_data_dir=folder)
        with listening("127.0.0.1", self.port, "MEDAI_PORT") as listener:
            task = asyncio.create_task(answer(self.api, settings, listener, drain_seconds=drain))
            yield task
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def ask(self) -> httpx2.Response:
        async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
            return await client.get(f"http://127.0.0.1:{self.port}/slow")


@pytest.mark.parametrize("is_let", [True, False], ids=["ends", "never ends"])
async def test_an_answer_under_way_has_its_time_and_no_more(tmp_path: Path, is_let: bool) -> None:
    serving = Serving()
    async with serving.started(tmp_path, drain=30 if is_let else 1) as task:
        asking = asyncio.create_task(serving.ask())
        await serving.asked.wait()
        task.cancel()
        if is_let:
            serving.may_answer.set()
        async with asyncio.timeout(_END_SECONDS):
            await asyncio.gather(task, return_exceptions=True)
        (got,) = await asyncio.gather(asking, return_exceptions=True)
    answered = isinstance(got, httpx2.Response) and got.status_code == 200
    assert answered == is_let
