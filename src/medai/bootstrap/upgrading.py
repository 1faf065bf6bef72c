"""The upgrade of a restored dump, wired: it runs while nobody else may open the stores."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from medai.bootstrap.ground import COLLECTIONS
from medai.datalens.days import ExportDays
from medai.errors import ConflictError, InvalidInputError
from medai.infra.crypto import TextCipher
from medai.infra.mongo_dump import MongoDump
from medai.infra.own_keys import installation_keys
from medai.infra.postgres import Pool, advisory_lock, others_at_work
from medai.infra.stores import Stores, open_stores
from medai.kit.clock import Clock, utc_now
from medai.migration.files import OldFiles
from medai.migration.folder import OldFolder
from medai.migration.models import Context
from medai.migration.report import Report
from medai.migration.runner import Upgrade, dry_run
from medai.migration.state import load_state, old_kinds, save_state
from medai.processing.transfer.marker import TRANSFERS, refuse_unfinished
from medai.settings import Settings

_LOCK = "upgrade"
_NAME = "medai-upgrade"
"""Under it PostgreSQL shows this process, which is no service at work."""
_NO_SECRET = "-" * 32
"""Of a run that stores nothing."""


@dataclass(frozen=True, slots=True)
class UpgradeOrder:
    """`old_files`: the old `app/data`, None for MEDAI_DATA_DIR if it holds the old folders. `tz`:
    the zone of all old clinics, which had none of their own."""

    old_files: Path | None
    tz: ZoneInfo


async def upgrade_report(settings: Settings, order: UpgradeOrder) -> Report:
    """What an upgrade would do. Changes nothing, opens MongoDB only. Raises StoreError."""
    report = Report(is_dry=True)
    async with _dump(settings) as dump:
        if dump is not None:
            context = Context(utc_now(), order.tz, TextCipher(_NO_SECRET))
            report = await dry_run(dump, context)
    return report


async def upgrade_stores(
    settings: Settings, order: UpgradeOrder, *, clock: Clock = utc_now
) -> Report:
    """Upgrade documents, then bring in old files. May be run again after any end.

    Raises StoreError, SettingsError, InvalidInputError for a folder without old files,
    ConflictError while the service works, which would take moved calls for calls nobody has seen,
    and while an import of data is unfinished.
    """
    folder = _folder(settings, order)
    _, secret = installation_keys(settings)
    async with AsyncExitStack() as resources:
        stores = await open_stores(settings, resources, name=_NAME)
        await resources.enter_async_context(advisory_lock(stores.pool, _LOCK))
        await stores.documents.prepare([TRANSFERS])
        await refuse_unfinished(stores.documents)
        dump = await resources.enter_async_context(_dump(settings))
        report = Report(is_dry=False)
        if dump is not None:
            await _refuse_beside_service(dump, stores.pool)
            days = ExportDays(stores.documents, clock)
            context = Context(clock(), order.tz, TextCipher(secret))
            report = await Upgrade(dump, stores.documents, days, context).run()
        wanted = order.old_files is not None or (dump is not None and await _lacks_files(dump))
        if folder is not None and wanted:
            await _bring(stores, folder, report, clock)
            if dump is not None:
                await _note_files(dump)
        return report


async def forget_archives(settings: Settings) -> list[str]:
    """Drop the old documents that upgrades have kept; returns the names of their collections.

    Raises ConflictError while an upgrade is unfinished, StoreError.
    """
    async with _dump(settings) as dump:
        if dump is None:
            return []
        state = await load_state(dump)
        if not state.finished:
            raise ConflictError("Обновление не закончено: сначала выполните medai db upgrade")
        names = sorted(
            name
            for name in await dump.names()
            for number in range(1, state.number + 1)
            if name.startswith(f"old_{number}_")
        )
        for name in names:
            await dump.drop(name)
        return names


async def _refuse_beside_service(dump: MongoDump, pool: Pool) -> None:
    is_wanted = not (await load_state(dump)).finished or await old_kinds(dump)
    if is_wanted and await others_at_work(pool):
        raise ConflictError(
            "Служба работает: остановите её, бота и обработчики (medai run, api, worker, bot)"
            " и повторите medai db upgrade"
        )


async def _lacks_files(dump: MongoDump) -> bool:
    """Whether an upgrade's files were never looked for: later runs need to be asked."""
    state = await load_state(dump)
    return state.number > 0 and not state.has_files


async def _note_files(dump: MongoDump) -> None:
    state = await load_state(dump)
    if state.number and not state.has_files:
        state.has_files = True
        await save_state(dump, state)


async def _bring(stores: Stores, folder: OldFolder, report: Report, clock: Clock) -> None:
    await stores.documents.prepare(COLLECTIONS)
    report.files = await OldFiles(folder, stores.documents, stores.files, clock()).bring()


def _folder(settings: Settings, order: UpgradeOrder) -> OldFolder | None:
    folder = OldFolder(order.old_files or settings.data_dir)
    if folder.exists():
        return folder
    if order.old_files is not None:
        raise InvalidInputError(
            "В этой папке нет старых файлов: укажите прежнюю app/data"
            " (в ней audio, transcription, analysis, reports)"
        )
    return None


@asynccontextmanager
async def _dump(settings: Settings) -> AsyncIterator[MongoDump | None]:
    """The raw database, None when documents live in PostgreSQL."""
    if not settings.mongodb_uri:
        yield None
        return
    dump = MongoDump(settings.mongodb_uri, settings.mongodb_name)
    try:
        yield dump
    finally:
        await dump.close()
