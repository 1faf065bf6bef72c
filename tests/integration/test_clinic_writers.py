"""Many writers of one clinic: nothing is lost, no limit is exceeded."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from tests.fixtures.clinic_day import NOON, clinic

from medai.clinics.models import Clinic, MinuteLimits
from medai.clinics.repository import CLINICS, ClinicRepository
from medai.errors import NotFoundError, QuotaExceededError
from medai.infra.documents import Documents
from medai.limits.service import LimitService


def now() -> datetime:
    return NOON


@pytest.fixture
async def clinics(documents: Documents) -> ClinicRepository:
    await documents.prepare([CLINICS])
    repository = ClinicRepository(documents, now)
    limits = MinuteLimits(monthly_seconds=2000, weekly_seconds=1000)
    assert await repository.insert(clinic(limits=limits))
    return repository


async def test_thirty_writers_lose_nothing(clinics: ClinicRepository) -> None:
    def with_one_more(number: int) -> Callable[[Clinic], Clinic]:
        return lambda stored: stored.model_copy(
            update={"telegram_ids": (*stored.telegram_ids, number)}
        )

    await asyncio.gather(*(clinics.change("clinic-1", with_one_more(n)) for n in range(30)))
    stored = await clinics.require("clinic-1")
    assert sorted(stored.telegram_ids) == list(range(30))
    assert stored.revision == 30


async def test_a_change_that_changes_nothing_writes_nothing(clinics: ClinicRepository) -> None:
    await clinics.change("clinic-1", lambda stored: stored)
    assert (await clinics.require("clinic-1")).revision == 0


async def test_a_change_that_raises_writes_nothing(clinics: ClinicRepository) -> None:
    def refuse(_: Clinic) -> Clinic:
        raise QuotaExceededError("нет")

    with pytest.raises(QuotaExceededError):
        await clinics.change("clinic-1", refuse)
    assert (await clinics.require("clinic-1")).revision == 0


async def test_an_unknown_clinic_is_named_in_words(clinics: ClinicRepository) -> None:
    with pytest.raises(NotFoundError, match="clinic-2"):
        await clinics.change("clinic-2", lambda stored: stored)


async def test_a_client_id_is_taken_once(clinics: ClinicRepository) -> None:
    assert not await clinics.insert(clinic(id="another-doc"))


async def test_fifty_reservations_at_once_never_exceed_the_limit(
    clinics: ClinicRepository,
) -> None:
    service = LimitService(clinics, now)
    results = await asyncio.gather(
        *(service.reserve("clinic-1", f"call-{n}", 49.5) for n in range(50)),
        return_exceptions=True,
    )
    refused = [result for result in results if result is not None]
    assert all(isinstance(result, QuotaExceededError) for result in refused), refused
    limits = (await clinics.require("clinic-1")).limits
    assert len(limits.reservations) == 20
    assert len(refused) == 30
    held = sorted(limits.reservations)
    settled = (service.settle("clinic-1", name, 40) for name in held[:10] * 2)
    released = (service.give_up("clinic-1", name) for name in held[10:])
    await asyncio.gather(*settled, *released)
    limits = (await clinics.require("clinic-1")).limits
    assert (limits.month_used_seconds, limits.week_used_seconds) == (400, 400)
    assert sorted(limits.reservations) == held[:10]
    await service.reserve("clinic-1", "another", 600)
    with pytest.raises(QuotaExceededError):
        await service.reserve("clinic-1", "one more", 1)
    reset = await service.next_reset("clinic-1", 1)
    assert timedelta(0) < reset - NOON < timedelta(days=7)
