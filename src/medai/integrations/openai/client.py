"""A client of OpenAI and of servers that speak its language. It knows nothing of calls.

The official SDK sends; bodies are read by us, because its parser loses usage and reason of a cut
answer (openai.md 1.2). Its own retries are off: repeating is decided at one place, by the caller.
"""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any, Literal

import httpx2
import openai
from openai.types import Model
from pydantic import ValidationError

from medai.errors import ProviderError, SettingsError
from medai.infra import measures
from medai.integrations.openai import chat, failures, responses
from medai.integrations.openai.models import (
    Exchange,
    ModelOptions,
    StructuredReply,
    StructuredRequest,
    Tokens,
    Trace,
)
from medai.kit.clock import utc_now

Strategy = Literal["responses", "chat_json_schema"]


class OpenAIClient:
    """Structured questions to one model. Close it when done; `http` replaces the transport."""

    def __init__(
        self,
        options: ModelOptions,
        strategy: Strategy = "responses",
        *,
        trace: Trace | None = None,
        http: httpx2.AsyncClient | None = None,
    ) -> None:
        self._options = options
        self._trace = trace
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
        self._check_key()
        started_at = utc_now()
        tokens, code = None, None
        try:
            with measures.provider_request(failures.PROVIDER):
                reply = await self._asked(request)
            tokens = self._counted(reply.tokens)
        except ProviderError as error:
            code = error.code
            raise
        finally:
            if self._trace is not None:
                name, model = request.schema_name, self._options.model
                self._trace(Exchange(name, model, started_at, utc_now(), tokens, code))
        return reply

    async def models(self) -> dict[str, date | None]:
        """Models that the key may use, each with the day it is shut down (openai.md 3); free.

        Raises as `ask` does.
        """
        self._check_key()
        try:
            page = await self._sdk.models.list()
        except openai.APIError as error:
            raise failures.from_sdk(error) from None
        return {model.id: _shutdown_day(model) for model in page.data}

    async def close(self) -> None:
        """Close the connections; the client is unusable afterwards."""
        await self._sdk.close()

    def _check_key(self) -> None:
        if not self._options.api_key.strip():
            raise SettingsError("Не задан ключ языковой модели: укажите OPENAI в окружении")

    async def _asked(self, request: StructuredRequest) -> StructuredReply:
        try:
            raw = await self._send(**self._arguments(request, self._options))
        except openai.APIError as error:
            # Not chained: the server's text may quote the prompt, and tracebacks are logged.
            raise failures.from_sdk(error) from None
        return self._reply(raw.http_response)

    def _counted(self, used: Tokens) -> Tokens:
        model = self._options.model
        measures.tokens_used(model, input_=used.input, cached=used.cached, output=used.output)
        return used

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


def _shutdown_day(model: Model) -> date | None:
    """The day after which the model answers no more, when the provider has named one."""
    try:
        return date.fromisoformat(str(getattr(model, "shutdown_date", ""))[:10])
    except ValueError:
        return None


_Send = Callable[..., Awaitable[Any]]
_Arguments = Callable[[StructuredRequest, ModelOptions], dict[str, Any]]
_Read = Callable[[dict[str, Any], str | None], StructuredReply]
