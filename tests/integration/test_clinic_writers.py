"""Many writers of one clinic: nothing is lost, no limit is exceeded."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs
from tests.fixtures.clinic_day import NOON, clinic

from medai.clinics.models import Clinic, MinuteLimits, Reservation
from medai.clinics.repository import CLINICS, ClinicRepository
from medai.errors import InvalidInputError, NotFoundError, QuotaExceededError
from medai.infra.documents import Documents
from medai.limits.changes import LimitChanges
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


class Waiting:
    """Calls that wait for minutes, as far as limits know them."""

    def __init__(self) -> None:
        self.woken: list[str] = []

    async def wake_quota(self, client_id: str) -> int:
        self.woken.append(client_id)
        return 3


async def test_many_workers_warn_once_and_say_it_once(clinics: ClinicRepository) -> None:
    async def one(number: int) -> None:
        service = LimitService(clinics, now)  # a worker of its own, with nothing remembered
        call = f"call-{number}"
        await service.reserve("clinic-1", call, 50)
        await service.settle("clinic-1", call, 50)
        await service.settle("clinic-1", call, 50)
        await service.release("clinic-1", call)

    with capture_logs() as logs:
        await asyncio.gather(*(one(number) for number in range(19)))
        with pytest.raises(QuotaExceededError):
            await LimitService(clinics, now).reserve("clinic-1", "too long", 60)
        with pytest.raises(QuotaExceededError):
            await LimitService(clinics, now).reserve("clinic-1", "too long", 60)
    said = [(each["period"], each["percent"]) for each in logs if each["log_level"] == "warning"]
    assert said == [("week", 80), ("week", 90), ("week", 100)]
    stored = await LimitService(clinics, now).warnings("clinic-1")
    assert [(each.period, each.key, each.percent) for each in stored] == [
        ("week", "2026-W47", percent) for percent in (80, 90, 100)
    ]
    assert all("call-" not in str(each) for each in logs)


async def test_what_people_change_wakes_waiting_calls(clinics: ClinicRepository) -> None:
    waiting, service = Waiting(), LimitService(clinics, now)
    changes = LimitChanges(clinics, waiting, now)
    await service.reserve("clinic-1", "used", 950)
    await service.settle("clinic-1", "used", 950)
    await service.reserve("clinic-1", "held", 50)

    added = await changes.add("clinic-1", week_seconds=1000)

    assert (added.woken, added.state.week.limit_seconds, added.state.month.limit_seconds) == (
        3, 2000, 2000,
    )  # fmt: skip
    assert added.state.topped_up_at == NOON
    assert await service.warnings("clinic-1") == ()  # 95 % became 47.5 %
    reset = await changes.reset("clinic-1", "week")
    assert (reset.state.week.used_seconds, reset.state.month.used_seconds) == (0, 950)
    assert (reset.state.week.held_seconds, reset.state.week.left_seconds) == (50, 1950)
    lowered = await changes.set("clinic-1", weekly_seconds=40, month_used_seconds=1700)
    assert lowered.state.week.left_seconds == 0
    assert [each.percent for each in lowered.state.month.warnings] == [80]
    assert lowered.state.month.percent == 85.0
    assert waiting.woken == ["clinic-1"] * 3
    with pytest.raises(InvalidInputError):
        await changes.set("clinic-1", monthly_seconds=-1)
    assert [each.client_id async for each in service.states()] == ["clinic-1"]


async def test_what_a_dead_worker_held_for_a_finished_call_is_freed(
    clinics: ClinicRepository,
) -> None:
    service = LimitService(clinics, now)
    for call in ("finished", "under way"):
        await service.reserve("clinic-1", call, 100)
    later = LimitService(clinics, lambda: NOON + timedelta(hours=1, seconds=1))
    await later.reserve("clinic-1", "fresh", 100)
    asked: list[str] = []

    async def finished(call_ids: Sequence[str]) -> list[str]:
        asked.extend(call_ids)
        return ["finished", "fresh"]

    assert await service.free_abandoned(finished) == 0
    assert await later.free_abandoned(finished) == 1
    assert sorted(asked) == ["finished", "under way"]
    held = (await clinics.require("clinic-1")).limits.reservations
    assert sorted(held) == ["fresh", "under way"]
    assert held["fresh"] == Reservation(seconds=100, at=NOON + timedelta(hours=1, seconds=1))
