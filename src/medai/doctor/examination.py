"""Every check in turn, each within its time; a check that fails stops no other.

Nothing is changed but a probe file and, as at any start, an embedded PostgreSQL that is started
and stopped again. Tables are not created.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from functools import partial

import httpx2
import structlog

from medai.bootstrap.providers import crm_accounts
from medai.clinics.models import Clinic
from medai.clinics.repository import ClinicRepository
from medai.datalens.days import ExportDays
from medai.doctor import machine, providers, stores, work
from medai.doctor.findings import Finding, ok, problem, warning
from medai.doctor.setting_rules import check_settings
from medai.doctor.variable_names import unknown_variables
from medai.errors import MedaiError
from medai.infra.crypto import TextCipher
from medai.infra.documents import Documents
from medai.infra.http import open_client
from medai.infra.own_keys import installation_keys
from medai.infra.postgres import Pool, open_pool
from medai.infra.postgres_traits import read_traits
from medai.infra.rate_limit import Unlimited
from medai.infra.stores import documents_of, files_of, postgres_dsn
from medai.kit.clock import Clock, utc_now
from medai.processing.fleet import FleetLocks
from medai.processing.stops import Stops
from medai.settings import Settings

_log = structlog.get_logger(__name__)

CHECK_SECONDS = 25.0
"""One check at most: a provider's own patience is 20 s."""
_START_SECONDS = 80.0
"""An embedded PostgreSQL that recovers from a crash takes up to a minute."""
_MOST_CLINICS = 100

Check = Callable[[], Awaitable[list[Finding]]]


async def examine(
    settings: Settings,
    *,
    ask_providers: bool = True,
    clock: Clock = utc_now,
    names: Iterable[str] = (),
) -> AsyncIterator[Finding]:
    """All findings in the order of the checks; `names` are variables of environment and `.env`."""
    for finding in [*unknown_variables(names), *check_settings(settings)]:
        yield finding
    for finding in await _machine(settings):
        yield finding
    async with AsyncExitStack() as resources:
        patient = Patient(settings, clock, resources)
        async for finding in patient.stores():
            yield finding
        if ask_providers:
            async for finding in patient.providers():
                yield finding


async def _machine(settings: Settings) -> list[Finding]:
    return [
        *await bounded("data_folder", lambda: machine.check_data_folder(settings)),
        *await bounded("reports", machine.check_rendering),
        *await bounded("files", lambda: stores.check_files(files_of(settings))),
    ]


async def bounded(name: str, check: Check, seconds: float = CHECK_SECONDS) -> list[Finding]:
    """The check's findings, or one that says why there are none."""
    try:
        async with asyncio.timeout(seconds):
            return await check()
    except MedaiError as error:
        return [problem(name, error.message)]
    except TimeoutError:
        return [
            problem(name, f"Проверка не ответила за {seconds:.0f} с: проверьте сеть и нагрузку")
        ]
    except Exception:  # noqa: BLE001 - whatever one check meets, the others have their say
        _log.exception("check broke", check=name)
        return [problem(name, "Проверка сорвалась: подробности в журнале, сообщите разработчикам")]


class Patient:
    """The installation under examination, with what could be opened of it."""

    def __init__(self, settings: Settings, clock: Clock, resources: AsyncExitStack) -> None:
        self._settings = settings
        self._clock = clock
        self._resources = resources
        self._pool: Pool | None = None
        self._documents: Documents | None = None
        self._clinics: list[Clinic] = []

    async def stores(self) -> AsyncIterator[Finding]:
        """PostgreSQL, documents, and the work that lies in them."""
        for finding in await bounded("postgres", self._open, _START_SECONDS):
            yield finding
        pool, documents = self._pool, self._documents
        if pool is None:
            yield warning("work", "Очереди, остановки и минуты не проверены: нет PostgreSQL")
            return
        checks: dict[str, Check] = {"postgres": lambda: stores.check_postgres(pool, self._clock)}
        if await self._is_prepared(pool):
            checks |= {"postgres_tables": lambda: stores.check_tables(pool),
                       "workers": lambda: work.check_jobs(pool),
                       "held": lambda: work.check_held(pool)}  # fmt: skip
            if documents is not None:
                checks |= self._document_checks(documents)
        checks["old_documents"] = lambda: stores.check_old_documents(self._settings)
        for name, check in checks.items():
            for finding in await bounded(name, check):
                yield finding

    async def providers(self) -> AsyncIterator[Finding]:
        """Everybody outside, asked at once."""
        settings = self._settings
        async with open_client() as http:
            checks: list[tuple[str, Check]] = [
                ("elevenlabs", lambda: providers.check_elevenlabs(settings)),
                ("openai", lambda: providers.check_language_model(settings, self._clock().date())),
                ("telegram", lambda: providers.check_telegram(settings, http)),
                ("proxy", lambda: providers.check_proxy(settings)),
                ("clock", lambda: providers.check_clock(settings, http, self._clock)),
                ("amocrm", lambda: self._crm(http)),
            ]
            for found in await asyncio.gather(*(bounded(name, one) for name, one in checks)):
                for finding in found:
                    yield finding

    async def _open(self) -> list[Finding]:
        dsn = await postgres_dsn(self._settings, self._resources)
        pool = await open_pool(dsn, max_size=2)
        self._resources.push_async_callback(pool.close)
        self._pool = pool
        self._documents = documents_of(self._settings, pool)
        self._resources.push_async_callback(self._documents.close)
        return []

    async def _is_prepared(self, pool: Pool) -> bool:
        try:
            return (await read_traits(pool)).prepared
        except MedaiError:
            return False  # the check of PostgreSQL says why

    def _document_checks(self, documents: Documents) -> dict[str, Check]:
        return {
            "documents": lambda: stores.check_documents(documents, self._settings),
            "stops": lambda: work.check_stops(Stops(documents, self._clock)),
            "exports": lambda: work.check_exports(
                ExportDays(documents, self._clock), self._clock()
            ),
            "quotas": lambda: self._all_clinics(documents),
        }

    async def _all_clinics(self, documents: Documents) -> list[Finding]:
        found: list[Finding] = []
        async for clinic in ClinicRepository(documents, self._clock).all():
            if len(self._clinics) < _MOST_CLINICS:
                self._clinics.append(clinic)
                found += work.check_clinic(clinic, self._clock())
        return found or [ok("quotas", "Клиник ещё нет: medai clinics add")]

    async def _crm(self, http: httpx2.AsyncClient) -> list[Finding]:
        if self._pool is None or self._documents is None:
            return [warning("amocrm", "amoCRM не проверена: нет хранилища с токенами")]
        _, secret = installation_keys(self._settings)
        accounts = crm_accounts(
            self._settings, http, self._documents, TextCipher(secret), FleetLocks(self._pool),
            Unlimited(), self._clock,
        )  # fmt: skip
        found: list[Finding] = []
        for clinic in self._clinics:
            name = f"Клиника «{clinic.name}»"
            for one in await bounded("amocrm", partial(providers.check_crm, accounts, clinic)):
                said = one.message if name in one.message else f"{name}: {one.message}"
                found.append(Finding(one.check, one.level, said))
        return found
