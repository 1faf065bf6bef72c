"""Settings -> clients of the CRM, of recordings, of speech recognition, of the model."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx2

from medai.analysis.openai import OpenAILanguageModel
from medai.bootstrap.ground import Ground
from medai.crm.accounts import AccountParts, AmocrmAccounts
from medai.errors import SettingsError
from medai.infra.crypto import TextCipher
from medai.infra.documents import Documents
from medai.infra.http import open_client
from medai.infra.postgres import Pool
from medai.infra.rate_limit import PostgresRateLimiter, RateLimiter, Unlimited
from medai.infra.request_budget import RequestBudget
from medai.infra.slots import FleetSlots
from medai.integrations.elevenlabs.client import ElevenLabsClient
from medai.integrations.openai.client import OpenAIClient
from medai.integrations.openai.models import ModelOptions, Trace
from medai.integrations.recordings.fetch import RecordingFetcher
from medai.integrations.recordings.options import FetchOptions
from medai.kit.clock import Clock
from medai.processing.fleet import FleetLocks
from medai.settings import Settings
from medai.transcription.elevenlabs import ElevenLabsSpeechToText
from medai.transcription.ports import SpeechToText

_MINUTE_SECONDS = 60.0
_FASTEST_CRM_RATE = 6.0
"""amoCRM refuses the eighth request of any second. At 6.5 a second a loaded machine sent eight in
one: slots are exact, but the way from a slot to the wire is not."""


@dataclass(frozen=True, slots=True)
class Providers:
    """The outside world: CRM accounts, recordings, speech recognition, the language model."""

    accounts: AmocrmAccounts
    recordings: RecordingFetcher
    speech_account: ElevenLabsClient
    speech: SpeechToText
    speech_slots: FleetSlots
    model: OpenAILanguageModel


async def open_providers(ground: Ground, resources: AsyncExitStack) -> Providers:
    """Clients of all providers; `resources` closes them. Nothing is asked yet.

    Raises SettingsError for a rate of CRM requests that amoCRM would refuse.
    """
    settings = ground.settings
    http = await resources.enter_async_context(open_client())
    speech_account = speech_client(settings)
    resources.push_async_callback(speech_account.aclose)
    speech = ElevenLabsSpeechToText(
        speech_account, model=settings.elevenlabs_model, language=settings.elevenlabs_language
    )
    speech_slots = _speech_slots(settings, speech, ground.stores.pool)
    resources.push_async_callback(speech_slots.close)
    recordings = RecordingFetcher(FetchOptions.from_settings(settings))
    resources.push_async_callback(recordings.aclose)
    accounts = crm_accounts(
        settings,
        http,
        ground.stores.documents,
        ground.cipher,
        ground.locks,
        await _crm_limiter(settings, ground.stores.pool),
        ground.clock,
    )
    return Providers(
        accounts=accounts,
        recordings=recordings,
        speech_account=speech_account,
        speech=speech,
        speech_slots=speech_slots,
        model=await _language_model(ground, resources),
    )


def crm_accounts(
    settings: Settings,
    http: httpx2.AsyncClient,
    documents: Documents,
    cipher: TextCipher,
    locks: FleetLocks,
    limiter: RateLimiter,
    clock: Clock,
) -> AmocrmAccounts:
    """The CRM accounts of the stored clinics."""
    parts = AccountParts(
        http=http,
        documents=documents,
        cipher=cipher,
        hold=locks.hold,
        limiter=limiter,
        base_url_template=settings.amocrm_base_url_template,
        default_redirect_url=settings.amocrm_redirect_url,
        batch_size=settings.amocrm_batch_size,
        clock=clock,
    )
    return AmocrmAccounts(parts)


def speech_client(settings: Settings) -> ElevenLabsClient:
    """The speech-to-text client of the settings; the caller closes it."""
    return ElevenLabsClient(
        api_key=settings.evenlabs,
        base_url=settings.elevenlabs_base_url,
        timeout_seconds=settings.elevenlabs_timeout_seconds,
    )


def model_options(settings: Settings) -> ModelOptions:
    """How the settings reach the language model."""
    return ModelOptions(
        api_key=settings.openai.get_secret_value(),
        base_url=settings.openai_base_url,
        model=settings.openai_model,
        reasoning_effort=settings.openai_reasoning_effort,
        timeout_seconds=settings.openai_timeout_seconds,
    )


def _speech_slots(settings: Settings, speech: SpeechToText, pool: Pool) -> FleetSlots:
    """As many as we want, but no more than the provider says it has."""
    wanted = settings.stt_concurrency
    return FleetSlots(pool, "speech-to-text", lambda: min(wanted, speech.ceiling or wanted))


async def _budget(settings: Settings, pool: Pool) -> RequestBudget:
    return RequestBudget(
        "language-model",
        await _limiter(pool, settings.llm_requests_per_minute / _MINUTE_SECONDS),
        await _limiter(pool, settings.llm_tokens_per_minute / _MINUTE_SECONDS),
    )


async def _language_model(ground: Ground, resources: AsyncExitStack) -> OpenAILanguageModel:
    settings = ground.settings
    trace = _traces(settings, resources)
    client = OpenAIClient(model_options(settings), settings.openai_strategy, trace=trace)
    resources.push_async_callback(client.close)
    pace = await _budget(settings, ground.stores.pool)
    return OpenAILanguageModel(client, ground.ledger, pace=pace)


def _traces(settings: Settings, resources: AsyncExitStack) -> Trace | None:
    key = settings.langchain.get_secret_value()
    if not key:
        return None
    # Imported here: it takes a third of a second that nobody else should wait for.
    from medai.integrations.langsmith.traces import LangSmithTraces

    traces = LangSmithTraces(
        api_key=key, base_url=settings.langchain_base_url, project=settings.langchain_project
    )
    resources.push_async_callback(asyncio.to_thread, traces.close)
    return traces.record


async def _crm_limiter(settings: Settings, pool: Pool) -> RateLimiter:
    rate = settings.amocrm_requests_per_second
    if not 0 <= rate <= _FASTEST_CRM_RATE:
        raise SettingsError("AMOCRM_REQUESTS_PER_SECOND: укажите число от 0 до 6")
    return await _limiter(pool, rate)


async def _limiter(pool: Pool, per_second: float) -> RateLimiter:
    """A limiter over all processes; 0 means none."""
    if not per_second:
        return Unlimited()
    limiter = PostgresRateLimiter(pool, per_second)
    await limiter.prepare()
    return limiter
