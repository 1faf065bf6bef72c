"""The language model behind `ports.LanguageModel`: OpenAI or a compatible server."""

import re
from dataclasses import replace
from datetime import timedelta

from pydantic import ValidationError

from medai.analysis.models import Usage
from medai.analysis.ports import Answer, Pace, Prompt, Shape
from medai.analysis.usage import total
from medai.errors import ProviderAnswerError, ProviderRateLimitedError
from medai.integrations.openai import failures
from medai.integrations.openai.client import OpenAIClient
from medai.integrations.openai.failures import PROVIDER
from medai.integrations.openai.models import StructuredReply, StructuredRequest
from medai.ledger.models import (
    Consumption,
    EffectKind,
    EffectState,
    Intent,
    Outcome,
    Subject,
)
from medai.ledger.outcomes import entered
from medai.ledger.ports import Effects

MAX_OUTPUT_TOKENS = 8_000
"""A scored call of 17 criteria takes about 3,500; the rest is room for reasoning."""
ROOM_AFTER_CUT = 4
"""How many times more the second try may write when the first was cut off."""
ATTEMPTS = 2
_LEASE_MARGIN = timedelta(minutes=1)
"""The timeout counts silence; a slow answer may last a little longer."""

_LETTERS_IN_TOKEN = 3
_USUAL_ANSWER_TOKENS = 1_500
_LONGEST_PAUSE_SECONDS = 60.0
"""Limits are counted per minute; a longer advice concerns this request alone."""

_CODE_FENCE = re.compile(r"\A\s*```(?:json)?\s*\n(?P<body>.*?)\n?\s*```\s*\Z", re.DOTALL)


class OpenAILanguageModel:
    """Asks, validates the answer again and tries once more when it cannot be used."""

    def __init__(
        self,
        client: OpenAIClient,
        effects: Effects,
        *,
        pace: Pace | None = None,
        max_output_tokens: int = MAX_OUTPUT_TOKENS,
    ) -> None:
        self._client = client
        self._effects = effects
        self._pace = pace
        self._max_output_tokens = max_output_tokens

    async def answer(self, prompt: Prompt, shape: type[Shape], subject: Subject) -> Answer[Shape]:
        """One structured answer; its usage counts both tries, each an entry in the ledger.

        Raises what `OpenAIClient.ask` raises, ProviderRejectedError for a refusal, StoreError when
        the ledger cannot be written, and ProviderAnswerError when the second answer is cut off or
        breaks the shape too.
        """
        request = self._request(prompt, shape)
        spent: list[Usage] = []
        cut = False
        for _ in range(ATTEMPTS):
            reply = await self._asked(request, subject)
            spent.append(_usage(reply))
            value = _value(reply, shape)
            if value is not None:
                return Answer(value, reply.raw, total(spent), reply.model)
            cut = reply.cut
            request = self._with_room(request) if cut else request
        raise _unusable(cut=cut)

    async def _asked(self, request: StructuredRequest, subject: Subject) -> StructuredReply:
        """One request as one effect. What is done with its answer does not change its price."""
        intent = Intent(
            kind=EffectKind.LANGUAGE_MODEL,
            provider=PROVIDER,
            model=self._client.model,
            subject=subject,
            lease=timedelta(seconds=self._client.timeout_seconds) + _LEASE_MARGIN,
        )
        if self._pace is not None:
            await self._pace.take(_weight(request))
        async with entered(self._effects, intent) as effect_id:
            reply = await self._paced(request)
        await self._effects.finish(effect_id, _billed(reply))
        if reply.refused:
            raise failures.refused(reply.request_id)
        return reply

    async def _paced(self, request: StructuredRequest) -> StructuredReply:
        """Ask, and let everybody pause when the server asks for it."""
        try:
            return await self._client.ask(request)
        except ProviderRateLimitedError as error:
            if self._pace is not None and error.retry_after:
                await self._pace.hold_back(min(error.retry_after, _LONGEST_PAUSE_SECONDS))
            raise

    def _request(self, prompt: Prompt, shape: type[Shape]) -> StructuredRequest:
        return StructuredRequest(
            instructions=prompt.instructions,
            data=prompt.data,
            schema_name=shape.__name__,
            schema=shape.model_json_schema(),
            cache_key=prompt.cache_key,
            max_output_tokens=self._max_output_tokens,
        )

    def _with_room(self, request: StructuredRequest) -> StructuredRequest:
        return replace(request, max_output_tokens=self._max_output_tokens * ROOM_AFTER_CUT)


def _weight(request: StructuredRequest) -> int:
    """About how many tokens the request and its answer take; Russian has three letters in one."""
    letters = len(request.instructions) + len(request.data) + len(str(request.schema))
    return letters // _LETTERS_IN_TOKEN + _USUAL_ANSWER_TOKENS


def _value(reply: StructuredReply, shape: type[Shape]) -> Shape | None:
    """The validated answer, None when it is cut off or breaks the shape.

    A cut answer is never read, even if it happens to be whole JSON.
    """
    if reply.cut:
        return None
    try:
        return shape.model_validate_json(_unfenced(reply.text))
    except ValidationError:
        return None


def _unfenced(text: str) -> str:
    """Servers that ignore the schema like to wrap JSON in a Markdown code block (contract 7)."""
    found = _CODE_FENCE.match(text)
    return found["body"] if found else text


def _usage(reply: StructuredReply) -> Usage:
    used = reply.tokens
    return Usage(
        input_tokens=used.input, cached_tokens=used.cached, output_tokens=used.output, requests=1
    )


def _billed(reply: StructuredReply) -> Outcome:
    used = reply.tokens
    return Outcome(
        state=EffectState.DONE,
        provider_ref=reply.request_id,
        used=Consumption(
            input_tokens=used.input, cached_tokens=used.cached, output_tokens=used.output
        ),
    )


def _unusable(*, cut: bool) -> ProviderAnswerError:
    reason = "обрывается на пределе длины" if cut else "не соответствует форме"
    return ProviderAnswerError(
        PROVIDER, f"Ответ языковой модели дважды {reason}: повторите анализ или смените модель"
    )
