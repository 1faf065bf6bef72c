"""Digests that are due now: whose hour has come, who was not told yet, who does not sleep."""

from collections.abc import AsyncGenerator
from datetime import date, datetime

import structlog

from medai.calls.models import Call
from medai.clinics.models import Clinic
from medai.clinics.repository import ClinicRepository
from medai.clinics.zones import shown_zone
from medai.digests.moments import morning_of, told_day, told_week, waits_for_night
from medai.errors import StoreError
from medai.kit.clock import Clock
from medai.members.models import Member, Membership, Notice, Role
from medai.processing.digests.deliveries import Deliveries, Due, Kind, State
from medai.processing.digests.people import People, concerned, split
from medai.processing.digests.readings import ClinicReader
from medai.processing.runs import RunKind, Runs

_log = structlog.get_logger(__name__)


class Mornings:
    """Morning and weekly digests. Raises StoreError.

    Clinics are gone through one by one: memory holds one clinic's calls of two days.
    """

    def __init__(
        self,
        *,
        clinics: ClinicRepository,
        people: People,
        reader: ClinicReader,
        runs: Runs,
        deliveries: Deliveries,
        clock: Clock,
        hour: int,
    ) -> None:
        self._clinics = clinics
        self._people = people
        self.reader = reader
        self._runs = runs
        self._deliveries = deliveries
        self._clock = clock
        self._hour = hour
        self._done: set[tuple[str, date]] = set()

    async def due(self) -> AsyncGenerator[Due, None]:
        """Messages to write now, clinic by clinic."""
        for clinic in [clinic async for clinic in self._clinics.all()]:
            now = self._clock()
            morning = morning_of(now, self._hour, shown_zone(clinic))
            if morning is None or (clinic.client_id, morning) in self._done:
                continue
            if waits_for_night(
                now, self._hour, shown_zone(clinic), night_runs=await self._at_night(clinic)
            ):
                continue
            try:
                async for due in self._of_clinic(clinic, morning, now):
                    yield due
            except StoreError:
                raise
            except Exception:  # noqa: BLE001 - one clinic's data keeps nobody else from a digest
                _log.exception("a clinic has no digest today", client_id=clinic.client_id)
                self._settle(clinic.client_id, morning)

    async def _at_night(self, clinic: Clinic) -> bool:
        running = self._runs.running(clinic.client_id)
        return any([run.kind == RunKind.NIGHT async for run in running])

    async def _of_clinic(
        self, clinic: Clinic, morning: date, now: datetime
    ) -> AsyncGenerator[Due, None]:
        members = [member async for member in self._people.of_clinic(clinic.client_id)]
        daily, later = await self._ready(clinic, members, Notice.MORNING, morning, now)
        if daily:
            async for due in self._daily(clinic, morning, daily):
                yield due
        if told_week(morning):
            weekly, later_too = await self._ready(clinic, members, Notice.WEEKLY, morning, now)
            later = later or later_too
            if weekly:
                async for due in self._weekly(clinic, morning, weekly):
                    yield due
            daily += weekly
        if not daily and not later:
            self._settle(clinic.client_id, morning)

    async def _ready(
        self, clinic: Clinic, members: list[Member], notice: Notice, morning: date, now: datetime
    ) -> tuple[list[Member], bool]:
        chosen = [one for one in members if concerned(one, clinic.client_id, notice)]
        told = await self._deliveries.told(_subject(notice, clinic, morning)) if chosen else {}
        return split(chosen, told, now, shown_zone(clinic))

    async def _daily(
        self, clinic: Clinic, morning: date, members: list[Member]
    ) -> AsyncGenerator[Due, None]:
        day = told_day(morning).first
        calls = await self.reader.day(clinic, day)
        subject = _subject(Notice.MORNING, clinic, morning)
        everyone = [one for one in members if _of(one, clinic).role.sees_everyone]
        if everyone:
            content = await self.reader.morning(clinic, day, calls)
            for member in everyone:
                owner = _of(member, clinic).role is Role.OWNER
                yield Due(Kind.MORNING, member.telegram_id, subject, content, for_owner=owner)
        for member in members:
            if member not in everyone:
                async for due in self._own(clinic, day, member, calls, subject):
                    yield due

    async def _own(
        self, clinic: Clinic, day: date, member: Member, calls: list[Call], subject: str
    ) -> AsyncGenerator[Due, None]:
        name = _of(member, clinic).administrator
        content = await self.reader.own_morning(clinic, day, name, calls)
        due = Due(Kind.OWN_MORNING, member.telegram_id, subject, content)
        if content.figures.calls:
            yield due
        else:
            await self._deliveries.claim(due, State.NOTHING)

    async def _weekly(
        self, clinic: Clinic, morning: date, members: list[Member]
    ) -> AsyncGenerator[Due, None]:
        week = told_week(morning)
        if week is None:
            return
        content = await self.reader.weekly(clinic, week)
        subject = _subject(Notice.WEEKLY, clinic, morning)
        for member in members:
            yield Due(Kind.WEEKLY, member.telegram_id, subject, content)

    def _settle(self, client_id: str, morning: date) -> None:
        """Nobody is left for today: the clinic is not looked at again before the next morning."""
        self._done = {one for one in self._done if one[0] != client_id} | {(client_id, morning)}


def _subject(notice: Notice, clinic: Clinic, morning: date) -> str:
    return f"{notice}:{clinic.client_id}:{morning.isoformat()}"


def _of(member: Member, clinic: Clinic) -> Membership:
    membership = member.of(clinic.client_id)
    if membership is None:
        raise LookupError("a stranger was chosen for a clinic's digest")
    return membership
