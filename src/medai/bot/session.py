"""aiogram's session over our own HTTP client, so that a SOCKS proxy and our timeouts hold here too.

The token stands in every address: nothing of an address gets into an error or a log line.
"""

from collections.abc import AsyncGenerator
from enum import Enum
from typing import Any

import httpx2
from aiogram import Bot
from aiogram.client.session.base import BaseSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramNetworkError
from aiogram.methods import TelegramMethod
from aiogram.methods.base import TelegramType

from medai.infra.http import CONNECT_SECONDS

_ANSWER_SECONDS = 60
"""A document of 45 MB takes its time; long polls ask for more by themselves."""


class HttpSession(BaseSession):
    """Requests to the Bot API at `base_url`. The caller closes the client."""

    def __init__(self, base_url: str, http: httpx2.AsyncClient) -> None:
        super().__init__(
            api=TelegramAPIServer.from_base(base_url.rstrip("/")), timeout=_ANSWER_SECONDS
        )
        self._http = http

    async def make_request(
        self, bot: Bot, method: TelegramMethod[TelegramType], timeout: int | None = None
    ) -> TelegramType:
        """Raises the errors of `aiogram.exceptions` (telegram.md 7)."""
        files: dict[str, Any] = {}
        form = self._form(bot, method, files)
        uploads = {
            name: (file.filename or name, b"".join([part async for part in file.read(bot)]))
            for name, file in files.items()
        }
        url = self.api.api_url(token=bot.token, method=method.__api_method__)
        seconds = httpx2.Timeout(timeout or self.timeout, connect=CONNECT_SECONDS)
        try:
            answer = await self._http.post(url, data=form, files=uploads or None, timeout=seconds)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise TelegramNetworkError(method=method, message=type(error).__name__) from None
        checked = self.check_response(bot, method, answer.status_code, answer.text)
        if checked.result is None:
            raise TelegramNetworkError(method=method, message="an answer without a result")
        return checked.result

    async def stream_content(
        self,
        url: str,
        headers: dict[str, Any] | None = None,
        timeout: int = 30,
        chunk_size: int = 65536,
        raise_for_status: bool = True,
    ) -> AsyncGenerator[bytes, None]:
        """A file's bytes in chunks. Raises httpx2.HTTPError."""
        async with self._http.stream("GET", url, headers=headers, timeout=timeout) as answer:
            if raise_for_status:
                answer.raise_for_status()
            async for chunk in answer.aiter_bytes(chunk_size):
                yield chunk

    async def close(self) -> None:
        """Nothing: the client has an owner."""

    def _form(self, bot: Bot, method: TelegramMethod[Any], files: dict[str, Any]) -> dict[str, str]:
        values = method.model_dump(warnings=False)
        prepared = (
            (name, self.prepare_value(value, bot=bot, files=files))
            for name, value in values.items()
        )
        return {name: _written(value) for name, value in prepared if value is not None}


def _written(value: Any) -> str:
    return str(value.value if isinstance(value, Enum) else value)
