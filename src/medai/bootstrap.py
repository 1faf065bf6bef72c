"""The only wiring: settings -> adapters -> services. Opens resources and closes them in turn."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import httpx2
import procrastinate

from medai.access.audit import ACCESS_LOG, AccessLog
from medai.access.keys import API_KEYS, ApiKeys
from medai.analysis.openai import OpenAILanguageModel
from medai.analysis.recommendations.repository import CONCLUSIONS, ConclusionsRepository
from medai.analysis.recommendations.service import RecommendationService
from medai.analysis.repository import ANALYSES, AnalysisRepository
from medai.analysis.service import AnalysisService
from medai.calls.listing import CallListing
from medai.calls.period_status import PeriodStatuses
from medai.calls.repository import CALLS, CallRepository
from medai.clinics.repository import CLINICS, ClinicRepository
from medai.clinics.settings import SettingChanges
from medai.crm.accounts import AccountParts, AmocrmAccounts
from medai.crm.event_log import EventLog
from medai.crm.lookups import CardLookups
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
from medai.infra.job_figures import has_worker
from medai.infra.jobs import JobQueue, create_engine, prepare_schema
from medai.infra.log_files import LogFiles
from medai.infra.own_keys import installation_keys
from medai.infra.postgres import Pool
from medai.infra.rate_limit import PostgresRateLimiter, RateLimiter, Unlimited
from medai.infra.readiness import Readiness
from medai.infra.request_budget import RequestBudget
from medai.infra.slots import FleetSlots
from medai.infra.stores import Stores, open_stores
from medai.integrations.elevenlabs.client import ElevenLabsClient
from medai.integrations.openai.client import OpenAIClient
from medai.integrations.openai.models import ModelOptions, Trace
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
from medai.processing.bulk import BulkSyncs
from medai.processing.crm_access import CrmAccess
from medai.processing.crm_checks import CrmChecks
from medai.processing.events_export import EventsExport
from medai.processing.exports import Exports
from medai.processing.figures import Figures
from medai.processing.fleet import FleetJobs, FleetLocks
from medai.processing.held import HeldWork
from medai.processing.link_repair import LinkRepair
from medai.processing.links import SignedLinks
from medai.processing.measured import measured
from medai.processing.note_recordings import NoteRecordings
from medai.processing.own_recordings import OwnRecordings
from medai.processing.period_conclusions import PeriodConclusions
from medai.processing.person_requests import PersonRequests
from medai.processing.pipeline import CallPipeline, PipelineParts
from medai.processing.ports import Jobs
from medai.processing.reattribution import Reattribution
from medai.processing.requests import WorkRequests
from medai.processing.rescoring import BookingRescore
from medai.processing.retention import KeepDays, Retention
from medai.processing.run_book import RunBook
from medai.processing.run_phases import RunPhases
from medai.processing.runs import RUNS, Runs
from medai.processing.schedule.begin import Schedule
from medai.processing.schedule.memory import SCHEDULE, ScheduleMemory
from medai.processing.shift_changes import ShiftChanges
from medai.processing.single_analysis import SingleAnalysis
from medai.processing.sliced_sync import SlicedSync
from medai.processing.steps import StepParts, Steps
from medai.processing.stops import STOPS, Stops
from medai.processing.sweeps import Sweeps
from medai.processing.syncs import Syncs
from medai.processing.token_keeper import TokenKeeper
from medai.processing.transcript_files import TranscriptFiles
from medai.processing.trial_recordings import TrialRecordings
from medai.processing.waiting import Waiting
from medai.reports.renderer import ReportRenderer
from medai.reports.service import ReportService
from medai.settings import Settings
from medai.staff.repository import ADMINISTRATORS, SHIFTS, StaffRepository
from medai.staff.schedule import WorkSchedule
from medai.transcription.answers import RECOGNITION_ANSWERS
from medai.transcription.balance import SpeechAccount
from medai.transcription.elevenlabs import ElevenLabsSpeechToText
from medai.transcription.paid_once import lease_for
from medai.transcription.ports import SpeechToText
from medai.transcription.repository import RECOGNITIONS, TRANSCRIPTS, TranscriptRepository
from medai.transcription.service import TranscriptionService

COLLECTIONS = (
    ACCESS_LOG, ADMINISTRATORS, ANALYSES, API_KEYS, CALLS, CLINICS, CONCLUSIONS, EXPORT_DAYS,
    RECOGNITION_ANSWERS, RECOGNITIONS, RUNS, SCHEDULE, SHIFTS, STOPS, TOKENS, TRANSCRIPTS,
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
    keys: ApiKeys
    access_log: AccessLog
    engine: procrastinate.App
    pool: Pool
    documents: Documents
    files: Files
    signer: LinkSigner
    clinics: ClinicRepository
    calls: CallRepository
    call_listing: CallListing
    period_statuses: PeriodStatuses
    staff: StaffRepository
    limits: LimitService
    ledger: EffectLedger
    limit_changes: LimitChanges
    abandoned_minutes: AbandonedMinutes
    accounts: AmocrmAccounts
    registration: ClinicRegistration
    card_lookups: CardLookups
    event_log: EventLog
    note_recordings: NoteRecordings
    crm_checks: CrmChecks
    transcription: TranscriptionService
    transcript_files: TranscriptFiles
    links: SignedLinks
    analysis: AnalysisService
    recommendations: RecommendationService
    pipeline: CallPipeline
    requests: WorkRequests
    stops: Stops
    sweeps: Sweeps
    held: HeldWork
    runs: Runs
    run_book: RunBook
    asked: PersonRequests
    setting_changes: SettingChanges
    crm_access: CrmAccess
    work_schedule: WorkSchedule
    shift_changes: ShiftChanges
    speech_account: SpeechAccount
    log_files: LogFiles
    bulk: BulkSyncs
    events_export: EventsExport
    phases: RunPhases
    schedule: Schedule
    token_keeper: TokenKeeper
    retention: Retention
    reattribution: Reattribution
    syncs: Syncs
    exports: Exports
    reports: ReportService
    own_recordings: OwnRecordings
    single_analysis: SingleAnalysis
    period_conclusions: PeriodConclusions
    trials: TrialRecordings
    jobs: Jobs
    figures: Figures
    readiness: Readiness


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
    access_log = AccessLog(documents, clock)
    staff, limits = StaffRepository(documents), LimitService(clinics, clock)
    stops = Stops(documents, clock)
    sweeps = Sweeps(calls, jobs, stops, clock)
    export_days, runs = ExportDays(documents), Runs(documents, clock)
    http = await resources.enter_async_context(open_client())
    limiter = await _crm_limiter(settings, stores.pool)
    accounts = crm_accounts(settings, http, documents, cipher, locks, limiter, clock)
    ledger = await _ledger(settings, clock, stores.pool)
    speech_account = _speech_client(settings, resources)
    speech = ElevenLabsSpeechToText(
        speech_account, model=settings.elevenlabs_model, language=settings.elevenlabs_language
    )
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
    budget, trace = await _budget(settings, stores.pool), _traces(settings, resources)
    model = _language_model(settings, budget, ledger, trace, resources)
    analysis = AnalysisService(model, AnalysisRepository(documents), clock)
    conclusions = ConclusionsRepository(documents)
    recommendations = RecommendationService(model, conclusions, calls, locks.hold, clock)
    recordings = RecordingFetcher(FetchOptions.from_settings(settings))
    resources.push_async_callback(recordings.aclose)
    attributor = Attributor(staff, analysis)
    steps = Steps(
        StepParts(
            calls=calls,
            clinics=clinics,
            limits=limits,
            files=files,
            recordings=recordings,
            transcription=transcription,
            analysis=analysis,
            attributor=attributor,
            accounts=accounts,
            effects=ledger,
            speech_slots=speech_slots,
            clock=clock,
        )
    )
    requests = WorkRequests(calls, jobs, clock)
    rescore = BookingRescore(calls, clinics, analysis)
    parts = PipelineParts(calls, limits, export_days, rescore, jobs, stops, sweeps, clock)
    pipeline = CallPipeline(parts, measured(steps.actions()))
    registration = ClinicRegistration(clinics, staff, accounts, cipher, clock)
    links = SignedLinks(settings.api_base_url, signer)
    requests = WorkRequests(calls, jobs, clock)
    held = HeldWork(calls, transcription, ledger, requests, clock)
    book = RunBook(runs, requests, jobs, clock)
    exports = Exports(calls, export_days, conclusions, PostgresExporter(stores.pool), links)
    syncs = Syncs(
        clinics=clinics,
        calls=calls,
        accounts=accounts,
        export_days=export_days,
        rescore=rescore,
        runs=runs,
        locks=locks,
        clock=clock,
    )
    single_analysis = SingleAnalysis(calls, jobs, stops, clock)
    own = OwnRecordings(registration, calls, files, clock)
    largest = settings.recordings_max_megabytes
    trials = TrialRecordings(own, requests, single_analysis, stops, clock, most_megabytes=largest)
    lookups = CardLookups(accounts)
    checks = CrmChecks(clinics, calls, accounts, files)
    reattribution = Reattribution(clinics, calls, transcription, attributor, export_days)
    asked = PersonRequests(runs, requests, stops, jobs, exports)
    work_schedule = WorkSchedule(staff, clock)
    waiting = Waiting(
        runs,
        partial(has_worker, stores.pool),
        clock,
        longest_seconds=settings.api_longest_wait_seconds,
    )
    renderer = ReportRenderer()
    resources.push_async_callback(renderer.close)
    return Application(
        settings=settings,
        clock=clock,
        api_key=api_key,
        keys=ApiKeys(documents, clinics, api_key, clock),
        access_log=access_log,
        engine=engine,
        pool=stores.pool,
        documents=documents,
        files=files,
        signer=signer,
        clinics=clinics,
        calls=calls,
        call_listing=CallListing(calls),
        period_statuses=PeriodStatuses(calls, clock),
        staff=staff,
        limits=limits,
        ledger=ledger,
        limit_changes=LimitChanges(clinics, requests, clock),
        abandoned_minutes=AbandonedMinutes(calls, limits, clock),
        accounts=accounts,
        registration=registration,
        card_lookups=lookups,
        event_log=EventLog(accounts, calls),
        note_recordings=NoteRecordings(lookups, calls, files, recordings, links),
        crm_checks=checks,
        transcription=transcription,
        transcript_files=TranscriptFiles(calls, clinics, TranscriptRepository(documents), links),
        links=links,
        analysis=analysis,
        recommendations=recommendations,
        pipeline=pipeline,
        requests=requests,
        held=held,
        stops=stops,
        sweeps=sweeps,
        runs=runs,
        run_book=book,
        asked=asked,
        setting_changes=SettingChanges(clinics),
        crm_access=CrmAccess(registration, stops),
        work_schedule=work_schedule,
        shift_changes=ShiftChanges(work_schedule, clinics, reattribution, asked, clock),
        speech_account=SpeechAccount(speech_account),
        log_files=LogFiles(settings.data_dir),
        bulk=BulkSyncs(
            clinics=clinics,
            calls=calls,
            accounts=accounts,
            asked=asked,
            waiting=waiting,
            clock=clock,
        ),
        events_export=EventsExport(
            clinics=clinics, calls=calls, accounts=accounts, runs=runs, asked=asked, clock=clock
        ),
        phases=RunPhases(
            clinics=clinics,
            runs=runs,
            book=book,
            syncs=SlicedSync(syncs=syncs, runs=runs, calls=calls, clinics=clinics, clock=clock),
            accounts=accounts,
            links=LinkRepair(clinics, calls, accounts, requests, clock),
            checks=checks,
            requests=requests,
            exports=exports,
            recommendations=recommendations,
            reattribution=reattribution,
            stops=stops,
            sweeps=sweeps,
            clock=clock,
        ),
        schedule=Schedule(
            clinics=clinics,
            memory=ScheduleMemory(documents, clock),
            runs=runs,
            book=book,
            jobs=jobs,
            clock=clock,
            night_hour=settings.medai_night_hour,
            poll_minutes=settings.medai_poll_minutes,
        ),
        token_keeper=TokenKeeper(clinics, accounts, stops),
        reattribution=reattribution,
        retention=_retention(settings, clock, stores, runs, calls, access_log),
        syncs=syncs,
        exports=exports,
        reports=ReportService(
            calls,
            clinics,
            files,
            renderer,
            links,
            clock,
            analyses=AnalysisRepository(documents),
            conclusions=recommendations,
        ),
        own_recordings=own,
        single_analysis=single_analysis,
        period_conclusions=PeriodConclusions(clinics, calls, recommendations, jobs),
        trials=trials,
        jobs=jobs,
        figures=Figures(stores.pool, calls, limits, stops, held, clock),
        readiness=Readiness(stores.pool, documents, STOPS),
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


def _retention(
    settings: Settings,
    clock: Clock,
    stores: Stores,
    runs: Runs,
    calls: CallRepository,
    access_log: AccessLog,
) -> Retention:
    keep = KeepDays(
        jobs=settings.medai_keep_jobs_days,
        runs=settings.medai_keep_runs_days,
        audio=settings.medai_keep_audio_days,
        reports=settings.medai_keep_reports_days,
        access_log=settings.medai_keep_access_log_days,
    )
    return Retention(
        keep,
        pool=stores.pool,
        runs=runs,
        files=stores.files,
        calls=calls,
        access_log=access_log,
        clock=clock,
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


def _speech_client(settings: Settings, resources: AsyncExitStack) -> ElevenLabsClient:
    client = speech_client(settings)
    resources.push_async_callback(client.aclose)
    return client


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
    settings: Settings,
    budget: RequestBudget,
    ledger: EffectLedger,
    trace: Trace | None,
    resources: AsyncExitStack,
) -> OpenAILanguageModel:
    client = OpenAIClient(model_options(settings), settings.openai_strategy, trace=trace)
    resources.push_async_callback(client.close)
    return OpenAILanguageModel(client, ledger, pace=budget)


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
