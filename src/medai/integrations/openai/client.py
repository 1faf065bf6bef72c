"""A client of OpenAI and of servers that speak its language. It knows nothing of calls.

The official SDK sends; bodies are read by us, because its parser loses usage and reason of a cut
answer (openai.md 1.2). Its own retries are off: repeating is decided at one place, by the caller.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import httpx2
import openai
from pydantic import ValidationError

from medai.errors import SettingsError
from medai.integrations.openai import chat, failures, responses
from medai.integrations.openai.models import ModelOptions, StructuredReply, StructuredRequest

Strategy = Literal["responses", "chat_json_schema"]


class OpenAIClient:
    """Structured questions to one model. Close it when done; `http` replaces the transport."""

    def __init__(
        self,
        options: ModelOptions,
        strategy: Strategy = "responses",
        *,
        http: httpx2.AsyncClient | None = None,
    ) -> None:
        self._options = options
        self._sdk = openai.AsyncOpenAI(
            api_key=options.api_key.strip() or "missing",
            base_url=options.base_url,
            timeout=options.timeout_seconds,
            max_retries=0,
            http_client=http,
        )
        self._send, self._arguments, self._read = self._chosen(strategy)

    @property
    def model(self) -> str:
        """The model that is asked."""
        return self._options.model

    @property
    def timeout_seconds(self) -> float:
        """How long the client waits for an answer."""
        return self._options.timeout_seconds

    async def ask(self, request: StructuredRequest) -> StructuredReply:
        """One request, never repeated here.

        Raises SettingsError without a key, before anything is sent; ProviderUnavailableError
        (NoAnswerError when the request had left), ProviderRateLimitedError, ProviderStoppedError,
        ProviderRejectedError and ProviderAnswerError (a body of another form) as openai.md 7
        sorts them. A refusal is an answer: it is billed.
        """
        if not self._options.api_key.strip():
            raise SettingsError("Не задан ключ языковой модели: укажите OPENAI в окружении")
        try:
            raw = await self._send(**self._arguments(request, self._options))
        except openai.APIError as error:
            # Not chained: the server's text may quote the prompt, and tracebacks are logged.
            raise failures.from_sdk(error) from None
        return self._reply(raw.http_response)

    async def close(self) -> None:
        """Close the connections; the client is unusable afterwards."""
        await self._sdk.close()

    def _reply(self, response: httpx2.Response) -> StructuredReply:
        request_id = response.headers.get("x-request-id")
        try:
            body = response.json()
        except (ValueError, RecursionError):  # no JSON, or brackets without end
            raise failures.unreadable(request_id) from None
        if not isinstance(body, dict):
            raise failures.unreadable(request_id)
        try:
            return self._read(body, request_id)
        except ValidationError:
            raise failures.unreadable(request_id) from None  # it shows parts of the answer

    def _chosen(self, strategy: Strategy) -> "tuple[_Send, _Arguments, _Read]":
        if strategy == "responses":
            create = self._sdk.responses.with_raw_response.create
            return create, responses.arguments, responses.read
        complete = self._sdk.chat.completions.with_raw_response.create
        return complete, chat.arguments, chat.read


_Send = Callable[..., Awaitable[Any]]
_Arguments = Callable[[StructuredRequest, ModelOptions], dict[str, Any]]
_Read = Callable[[dict[str, Any], str | None], StructuredReply]
