"""The only wiring: settings -> adapters -> services. Opens resources and closes them in turn."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import procrastinate

from medai.analysis.openai import OpenAILanguageModel
from medai.analysis.recommendations.repository import CONCLUSIONS, ConclusionsRepository
from medai.analysis.recommendations.service import RecommendationService
from medai.analysis.repository import ANALYSES, AnalysisRepository
from medai.analysis.service import AnalysisService
from medai.calls.repository import CALLS, CallRepository
from medai.clinics.repository import CLINICS, ClinicRepository
from medai.crm.accounts import AccountParts, AmocrmAccounts
from medai.crm.registration import ClinicRegistration
from medai.crm.tokens import TOKENS
from medai.datalens.days import EXPORT_DAYS, ExportDays
from medai.datalens.postgres_exporter import PostgresExporter
from medai.datalens.schema import upgrade
from medai.errors import SettingsError
from medai.infra.crypto import LinkSigner, TextCipher
from medai.infra.documents import Documents
from medai.infra.files import Files
from medai.infra.http import open_client
from medai.infra.jobs import JobQueue, create_engine, prepare_schema
from medai.infra.own_keys import installation_keys
from medai.infra.postgres import Pool
from medai.infra.rate_limit import PostgresRateLimiter, RateLimiter, Unlimited
from medai.infra.request_budget import RequestBudget
from medai.infra.slots import FleetSlots
from medai.infra.stores import Stores, open_stores
from medai.integrations.elevenlabs.client import ElevenLabsClient
from medai.integrations.openai.client import OpenAIClient
from medai.integrations.openai.models import ModelOptions
from medai.integrations.recordings.fetch import RecordingFetcher
from medai.integrations.recordings.options import FetchOptions
from medai.kit.clock import Clock, utc_now
from medai.ledger.prices import Prices
from medai.ledger.repository import EffectRepository
from medai.ledger.service import EffectLedger
from medai.limits.changes import LimitChanges
from medai.limits.service import LimitService
from medai.processing.abandoned_minutes import AbandonedMinutes
from medai.processing.attribution import Attributor
from medai.processing.exports import Exports
from medai.processing.fleet import FleetJobs, FleetLocks
from medai.processing.held import HeldWork
from medai.processing.links import SignedLinks
from medai.processing.own_recordings import OwnRecordings
from medai.processing.pipeline import CallPipeline, PipelineParts
from medai.processing.ports import Jobs
from medai.processing.requests import WorkRequests
from medai.processing.rescoring import BookingRescore
from medai.processing.runs import RUNS, Runs
from medai.processing.steps import StepParts, Steps
from medai.processing.stops import STOPS, Stops
from medai.processing.sweeps import Sweeps
from medai.processing.syncs import Syncs
from medai.reports.renderer import ReportRenderer
from medai.reports.service import ReportService
from medai.settings import Settings
from medai.staff.repository import ADMINISTRATORS, SHIFTS, StaffRepository
from medai.transcription.answers import RECOGNITION_ANSWERS
from medai.transcription.elevenlabs import ElevenLabsSpeechToText
from medai.transcription.paid_once import lease_for
from medai.transcription.ports import SpeechToText
from medai.transcription.repository import RECOGNITIONS, TRANSCRIPTS
from medai.transcription.service import TranscriptionService

COLLECTIONS = (
    ADMINISTRATORS, ANALYSES, CALLS, CLINICS, CONCLUSIONS, EXPORT_DAYS, RECOGNITION_ANSWERS,
    RECOGNITIONS, RUNS, SHIFTS, STOPS, TOKENS, TRANSCRIPTS,
)  # fmt: skip
_MINUTE_SECONDS = 60.0
_FASTEST_CRM_RATE = 6.0
"""amoCRM refuses the eighth request of any second. At 6.5 a second a loaded machine sent eight in
one: slots are exact, but the way from a slot to the wire is not."""


@dataclass(frozen=True, slots=True)
class Application:
    """Everything a door may call."""

    settings: Settings
    clock: Clock
    api_key: str
    engine: procrastinate.App
    pool: Pool
    documents: Documents
    files: Files
    signer: LinkSigner
    clinics: ClinicRepository
    calls: CallRepository
    staff: StaffRepository
    limits: LimitService
    ledger: EffectLedger
    limit_changes: LimitChanges
    abandoned_minutes: AbandonedMinutes
    accounts: AmocrmAccounts
    registration: ClinicRegistration
    transcription: TranscriptionService
    analysis: AnalysisService
    recommendations: RecommendationService
    pipeline: CallPipeline
    requests: WorkRequests
    stops: Stops
    sweeps: Sweeps
    held: HeldWork
    runs: Runs
    syncs: Syncs
    exports: Exports
    reports: ReportService
    own_recordings: OwnRecordings
    jobs: Jobs


@asynccontextmanager
async def open_application(
    settings: Settings, *, clock: Clock = utc_now
) -> AsyncIterator[Application]:
    """The whole application over its real stores and providers, closed at the end.

    Raises SettingsError for a missing or weak setting and StoreError for an unreachable store.
    """
    api_key, secret = installation_keys(settings)
    async with AsyncExitStack() as resources:
        stores = await open_stores(settings, resources)
        engine = await _prepared(stores, resources)
        yield await _wire(settings, clock, stores, engine, api_key, secret, resources)


async def _prepared(stores: Stores, resources: AsyncExitStack) -> procrastinate.App:
    """Create what is missing in the stores; returns the open job engine."""
    await stores.documents.prepare(COLLECTIONS)
    await asyncio.to_thread(upgrade, stores.dsn)
    engine = create_engine(stores.dsn)
    await resources.enter_async_context(engine.open_async())
    await prepare_schema(engine, stores.pool)
    return engine


async def _wire(
    settings: Settings,
    clock: Clock,
    stores: Stores,
    engine: procrastinate.App,
    api_key: str,
    secret: str,
    resources: AsyncExitStack,
) -> Application:
    documents, files = stores.documents, stores.files
    cipher, signer = TextCipher(secret), LinkSigner(secret)
    locks = FleetLocks(stores.pool)
    jobs = FleetJobs(JobQueue(engine, stores.pool))
    clinics, calls = ClinicRepository(documents, clock), CallRepository(documents)
    staff, limits = StaffRepository(documents), LimitService(clinics, clock)
    stops = Stops(documents, clock)
    sweeps = Sweeps(calls, jobs, stops, clock)
    export_days, runs = ExportDays(documents), Runs(documents, clock)
    http = await resources.enter_async_context(open_client())
    accounts = AmocrmAccounts(
        AccountParts(
            http=http,
            documents=documents,
            cipher=cipher,
            hold=locks.hold,
            limiter=await _crm_limiter(settings, stores.pool),
            base_url_template=settings.amocrm_base_url_template,
            default_redirect_url=settings.amocrm_redirect_url,
            batch_size=settings.amocrm_batch_size,
            clock=clock,
        )
    )
    ledger = await _ledger(settings, clock, stores.pool)
    speech = _speech(settings, resources)
    transcription = TranscriptionService(
        documents,
        files,
        speech,
        ledger,
        clock,
        repeats_after_lost_answer=settings.stt_repeats_after_lost_answer,
        lease=lease_for(settings.elevenlabs_timeout_seconds),
    )
    speech_slots = _speech_slots(settings, speech, stores.pool)
    resources.push_async_callback(speech_slots.close)
    model = _language_model(settings, await _budget(settings, stores.pool), ledger, resources)
    analysis = AnalysisService(model, AnalysisRepository(documents), clock)
    conclusions = ConclusionsRepository(documents)
    recommendations = RecommendationService(model, conclusions, calls, locks.hold, clock)
    recordings = RecordingFetcher(FetchOptions.from_settings(settings))
    resources.push_async_callback(recordings.aclose)
    steps = Steps(
        StepParts(
            calls=calls,
            clinics=clinics,
            limits=limits,
            files=files,
            recordings=recordings,
            transcription=transcription,
            analysis=analysis,
            attributor=Attributor(staff, analysis),
            accounts=accounts,
            effects=ledger,
            speech_slots=speech_slots,
            clock=clock,
        )
    )
    requests = WorkRequests(calls, jobs, clock)
    rescore = BookingRescore(calls, clinics, analysis)
    parts = PipelineParts(calls, limits, export_days, rescore, jobs, stops, sweeps, clock)
    pipeline = CallPipeline(parts, steps.actions())
    registration = ClinicRegistration(clinics, staff, accounts, cipher, clock)
    links = SignedLinks(settings.api_base_url, signer)
    requests = WorkRequests(calls, jobs, clock)
    renderer = ReportRenderer()
    resources.push_async_callback(renderer.close)
    return Application(
        settings=settings,
        clock=clock,
        api_key=api_key,
        engine=engine,
        pool=stores.pool,
        documents=documents,
        files=files,
        signer=signer,
        clinics=clinics,
        calls=calls,
        staff=staff,
        limits=limits,
        ledger=ledger,
        limit_changes=LimitChanges(clinics, requests, clock),
        abandoned_minutes=AbandonedMinutes(calls, limits, clock),
        accounts=accounts,
        registration=registration,
        transcription=transcription,
        analysis=analysis,
        recommendations=recommendations,
        pipeline=pipeline,
        requests=requests,
        held=HeldWork(calls, transcription, ledger, requests, clock),
        stops=stops,
        sweeps=sweeps,
        runs=runs,
        syncs=Syncs(
            clinics=clinics,
            calls=calls,
            accounts=accounts,
            export_days=export_days,
            rescore=rescore,
            runs=runs,
            locks=locks,
            clock=clock,
        ),
        exports=Exports(calls, export_days, conclusions, PostgresExporter(stores.pool), links),
        reports=ReportService(calls, clinics, files, renderer, links, clock, recommendations),
        own_recordings=OwnRecordings(registration, calls, files, clock),
        jobs=jobs,
    )


async def _ledger(settings: Settings, clock: Clock, pool: Pool) -> EffectLedger:
    repository = EffectRepository(pool)
    await repository.prepare()
    prices = Prices(
        currency=settings.price_currency,
        speech_hour=settings.stt_price_per_hour,
        speech_channel_hour=settings.stt_price_per_channel_hour,
        million_input_tokens=settings.llm_price_per_million_input,
        million_cached_tokens=settings.llm_price_per_million_cached,
        million_output_tokens=settings.llm_price_per_million_output,
    )
    return EffectLedger(repository, prices, clock)


def _speech(settings: Settings, resources: AsyncExitStack) -> ElevenLabsSpeechToText:
    client = ElevenLabsClient(
        api_key=settings.evenlabs,
        base_url=settings.elevenlabs_base_url,
        timeout_seconds=settings.elevenlabs_timeout_seconds,
    )
    resources.push_async_callback(client.aclose)
    return ElevenLabsSpeechToText(
        client, model=settings.elevenlabs_model, language=settings.elevenlabs_language
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


def _language_model(
    settings: Settings, budget: RequestBudget, ledger: EffectLedger, resources: AsyncExitStack
) -> OpenAILanguageModel:
    options = ModelOptions(
        api_key=settings.openai.get_secret_value(),
        base_url=settings.openai_base_url,
        model=settings.openai_model,
        reasoning_effort=settings.openai_reasoning_effort,
        timeout_seconds=settings.openai_timeout_seconds,
    )
    client = OpenAIClient(options, settings.openai_strategy)
    resources.push_async_callback(client.close)
    return OpenAILanguageModel(client, ledger, pace=budget)


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
