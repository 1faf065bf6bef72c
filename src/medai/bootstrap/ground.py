"""Stores, the job engine and repositories: what every service stands on."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass

import procrastinate

from medai.access.audit import ACCESS_LOG, AccessLog
from medai.access.keys import API_KEYS
from medai.analysis.old_files import OLD_ANALYSES
from medai.analysis.recommendations.repository import CONCLUSIONS, ConclusionsRepository
from medai.analysis.repository import ANALYSES
from medai.calls.repository import CALLS, DUPLICATE_CALLS, CallRepository
from medai.clinics.repository import CLINICS, ClinicRepository
from medai.crm.tokens import TOKENS
from medai.datalens.days import EXPORT_DAYS, ExportDays
from medai.datalens.schema import upgrade
from medai.infra.crypto import LinkSigner, TextCipher
from medai.infra.jobs import JobQueue, create_engine, prepare_schema
from medai.infra.mongo_dump import MongoDump
from medai.infra.own_keys import installation_keys
from medai.infra.postgres import Pool
from medai.infra.stores import Stores, open_stores
from medai.kit.clock import Clock
from medai.ledger.prices import Prices
from medai.ledger.repository import EffectRepository
from medai.ledger.service import EffectLedger
from medai.members.log import MEMBER_LOG
from medai.members.records import INVITATIONS, MEMBERS, MEMBERSHIPS
from medai.migration.batches import SET_ASIDE
from medai.migration.state import refuse_old_documents
from medai.processing.digests.service import DIGEST_COLLECTIONS
from medai.processing.fleet import FleetJobs, FleetLocks
from medai.processing.ports import Jobs
from medai.processing.runs import RUNS, Runs
from medai.processing.schedule.memory import SCHEDULE
from medai.processing.stops import STOPS
from medai.processing.transfer.marker import TRANSFERS, refuse_unfinished
from medai.settings import Settings
from medai.staff.repository import ADMINISTRATORS, SHIFTS, StaffRepository
from medai.transcription.answers import RECOGNITION_ANSWERS
from medai.transcription.repository import RECOGNITIONS, TRANSCRIPTS

COLLECTIONS = (
    ACCESS_LOG, ADMINISTRATORS, ANALYSES, API_KEYS, CALLS, CLINICS, CONCLUSIONS,
    DUPLICATE_CALLS, EXPORT_DAYS, INVITATIONS, MEMBERS, MEMBERSHIPS, MEMBER_LOG, OLD_ANALYSES,
    RECOGNITION_ANSWERS, RECOGNITIONS, RUNS, SCHEDULE, SET_ASIDE, SHIFTS, STOPS, TOKENS,
    TRANSCRIPTS, TRANSFERS,
    *DIGEST_COLLECTIONS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ground:
    """What everything stands on: settings, time, open stores, the job engine, repositories."""

    settings: Settings
    clock: Clock
    api_key: str
    cipher: TextCipher
    signer: LinkSigner
    stores: Stores
    engine: procrastinate.App
    jobs: Jobs
    locks: FleetLocks
    ledger: EffectLedger
    clinics: ClinicRepository
    calls: CallRepository
    staff: StaffRepository
    runs: Runs
    export_days: ExportDays
    conclusions: ConclusionsRepository
    access_log: AccessLog


async def open_ground(settings: Settings, clock: Clock, resources: AsyncExitStack) -> Ground:
    """Open the stores and create what is missing in them; `resources` closes them.

    Raises SettingsError for a missing or weak setting, StoreError for an unreachable store,
    StoredDataError while documents of the replaced system are in the way (nothing is half-read)
    and ConflictError while an import of data is not finished.
    """
    api_key, secret = installation_keys(settings)
    stores = await open_stores(settings, resources)
    await refuse_old_system(settings)
    documents = stores.documents
    export_days = ExportDays(documents, clock)
    engine = await _prepared(stores, export_days, resources)
    return Ground(
        settings=settings,
        clock=clock,
        api_key=api_key,
        cipher=TextCipher(secret),
        signer=LinkSigner(secret),
        stores=stores,
        engine=engine,
        jobs=FleetJobs(JobQueue(engine, stores.pool)),
        locks=FleetLocks(stores.pool),
        ledger=await _ledger(settings, clock, stores.pool),
        clinics=ClinicRepository(documents, clock),
        calls=CallRepository(documents),
        staff=StaffRepository(documents),
        runs=Runs(documents, clock),
        export_days=export_days,
        conclusions=ConclusionsRepository(documents),
        access_log=AccessLog(documents, clock),
    )


async def refuse_old_system(settings: Settings) -> None:
    """Raise StoredDataError until a restored dump is upgraded (`medai db upgrade`). StoreError."""
    if not settings.mongodb_uri:
        return
    dump = MongoDump(settings.mongodb_uri, settings.mongodb_name)
    try:
        await refuse_old_documents(dump)
    finally:
        await dump.close()


async def _prepared(
    stores: Stores, export_days: ExportDays, resources: AsyncExitStack
) -> procrastinate.App:
    """Create what is missing in the stores; returns the open job engine."""
    await stores.documents.prepare(COLLECTIONS)
    await refuse_unfinished(stores.documents)
    if await asyncio.to_thread(upgrade, stores.dsn):
        # Tables that somebody had changed may lack values: the next export writes them again.
        await export_days.touch_all(None)
    engine = create_engine(stores.dsn)
    await resources.enter_async_context(engine.open_async())
    await prepare_schema(engine, stores.pool)
    return engine


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
