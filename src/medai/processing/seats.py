"""What a member of a clinic sees and may do: the one place that decides, for every door of people.

A seat belongs to one clinic. What lies outside of it does not exist: another clinic's call and,
for an administrator, another administrator's call are both "not found".
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from time import monotonic
from typing import Protocol
from zoneinfo import ZoneInfo

from medai.access.audit import AccessLog, Opened
from medai.analysis.models import CallAnalysis
from medai.analysis.service import AnalysisService
from medai.calls.models import UNKNOWN_ADMINISTRATOR, Call, Step
from medai.calls.repository import CallRepository
from medai.clinics.models import Clinic
from medai.clinics.repository import ClinicRepository
from medai.clinics.zones import shown_zone
from medai.errors import ForbiddenError, NotFoundError
from medai.infra.files import Files
from medai.kit.clock import Clock
from medai.kit.days import DayRange, business_day
from medai.kit.ids import random_id
from medai.members.models import Member, Membership
from medai.members.rules import person, sees
from medai.processing.bulk import BulkSyncs
from medai.processing.links import SignedLinks
from medai.processing.person_requests import Asked, PersonRequests
from medai.processing.single_analysis import SingleAnalysis, Waited
from medai.processing.transcript_files import TranscriptFiles
from medai.processing.waiting import Question
from medai.processing.waiting import Waited as RunWaited
from medai.reports.models import Chart
from medai.reports.service import Only, ReportService

_SHOWN = {"skip_reason": None}
_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatParts:
    """The services behind a seat."""

    calls: CallRepository
    clinics: ClinicRepository
    files: Files
    links: SignedLinks
    bulk: BulkSyncs
    asked: PersonRequests
    single_analysis: SingleAnalysis
    analysis: AnalysisService
    transcript_files: TranscriptFiles
    reports: ReportService
    access_log: AccessLog
    clock: Clock


class Seats:
    """Makes seats. Raises StoreError."""

    def __init__(self, parts: SeatParts) -> None:
        self._parts = parts

    async def of(self, member: Member) -> "Seat":
        """The member's seat in the clinic they look at. Raises NotFoundError if it is gone."""
        membership = member.membership
        clinic = await self._parts.clinics.require(membership.client_id)
        return Seat(member, membership, clinic, self._parts)

    async def clinics_of(self, member: Member) -> list[Clinic]:
        """The member's clinics by name."""
        wanted = [one.client_id for one in member.memberships]
        found = [await self._parts.clinics.by_client_id(client_id) for client_id in wanted]
        return sorted((one for one in found if one), key=lambda clinic: clinic.name)

    async def of_person(self, members: "People", telegram_id: int, client_id: str) -> "Seat":
        """The person's seat in a clinic, as it is now. Raises NotFoundError for whoever has none:
        they may have been taken out while work was under way."""
        member = await members.member(telegram_id)
        if member is None or member.of(client_id) is None:
            raise NotFoundError("Доступа к этой клинике больше нет")
        return await self.of(member.model_copy(update={"client_id": client_id}))


class People(Protocol):
    """Whoever knows the members; `medai.members.repository.Members` does."""

    async def member(self, telegram_id: int) -> Member | None:
        """The person, None without a living membership."""


Tell = Callable[[Call], Awaitable[None]]
"""Told the call again and again while somebody waits for it."""


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A made report: its name in the store, as a file, a signed link, and bytes."""

    stored: str
    name: str
    url: str
    size: int


@dataclass(frozen=True, slots=True)
class Seat:
    """One member in one clinic. Every method raises StoreError; those that take a call's id raise
    NotFoundError for one that the member may not see."""

    member: Member
    membership: Membership
    clinic: Clinic
    _parts: SeatParts

    @property
    def by(self) -> str:
        """How the member is named in logs of who did what."""
        return person(self.member.telegram_id)

    @property
    def zone(self) -> ZoneInfo:
        """The clinic's zone."""
        return shown_zone(self.clinic)

    @property
    def own_administrator(self) -> str | None:
        """Whose calls alone are seen; None when all are."""
        return None if self.membership.role.sees_everyone else self.membership.administrator

    def today(self) -> date:
        """Today on the clinic's clock."""
        return business_day(self._parts.clock(), self.zone)

    def require_owner(self) -> None:
        """Raises ForbiddenError for whoever may not let others in."""
        if not self.membership.role.invites:
            raise ForbiddenError("Это может только владелец клиники: попросите его")

    async def calls_of(self, day: date) -> list[Call]:
        """The day's calls that the member sees, oldest first; skipped ones left out."""
        return [call async for call in self._of(DayRange(day, day))]

    async def administrators(self, days: DayRange) -> list[str]:
        """Names that calls of the days carry, the busiest first; the member's own alone if so."""
        if self.own_administrator is not None:
            return [self.own_administrator]
        client_id = self.membership.client_id
        found = await self._parts.calls.count_by("administrator", client_id, days, _SHOWN)
        names = sorted(found, key=lambda name: (-found[name], str(name)))
        return [str(name) for name in names if name != UNKNOWN_ADMINISTRATOR]

    async def call(self, call_id: str) -> Call:
        """The call."""
        call = await self._parts.calls.get(call_id)
        if call is None or not self.may_see(call):
            raise NotFoundError("Звонок не найден: откройте список звонков заново")
        return call

    def may_see(self, call: Call) -> bool:
        """Whether the call is of this clinic and, for an administrator, the member's own."""
        is_here = call.client_id == self.membership.client_id
        return is_here and sees(self.membership, call.administrator)

    async def is_stored(self, day: date) -> bool:
        """Whether any call of the clinic's day is stored."""
        return await self._parts.bulk.is_stored(self.clinic, day.isoformat())

    async def refresh(self, day: date) -> None:
        """Queue a sync of a stored day whose calls may still change."""
        if self.clinic.subdomain:
            await self._parts.bulk.refresh(self.clinic, day.isoformat())

    async def read_day(self, day: date, has_left: Question) -> RunWaited:
        """Sync the day from the CRM, and wait."""
        return await self._parts.bulk.read_day(self.clinic, day.isoformat(), has_left)

    async def transcribe(self, call_id: str) -> Asked:
        """Ask for the transcript. Raises InvalidInputError for a call that is left out."""
        return await self._parts.asked.transcription_of(await self.call(call_id))

    async def transcribed(self, call_id: str, seconds: float, tell: Tell) -> Call:
        """Wait for the transcript that was asked for: until it is there, has failed for longer
        than we wait, or so many seconds are over."""
        deadline = monotonic() + seconds
        while True:
            call = await self.call(call_id)
            left = deadline - monotonic()
            if call.transcript or left <= 0 or self._fails(call, left):
                return call
            await tell(call)
            await asyncio.sleep(min(_LOOK_SECONDS, left))

    async def analysed(self, call_id: str, seconds: float, tell: Tell) -> Waited:
        """Ask for the analysis unless it is there and wait for it; raises ConflictError for a
        call without a transcript."""
        call = await self.call(call_id)
        waiting = asyncio.ensure_future(self._parts.single_analysis.analysed(call))
        try:
            async with asyncio.timeout(seconds):
                while not (await asyncio.wait({waiting}, timeout=_LOOK_SECONDS))[0]:
                    await tell(call)
                return await waiting
        except TimeoutError:
            return Waited(await self.call(call_id))
        finally:
            waiting.cancel()

    def _fails(self, call: Call, seconds_left: float) -> bool:
        end = self._parts.clock() + timedelta(seconds=seconds_left)
        failures = (call.failures.get(step) for step in (Step.RECORDING, Step.TRANSCRIPTION))
        return any(one and (one.next_try_at is None or one.next_try_at > end) for one in failures)

    async def stored_analysis(self, call_id: str) -> CallAnalysis | None:
        """The full analysis with its quotes, None when there is none. Enters the access log."""
        call = await self.call(call_id)
        found = await self._parts.analysis.stored(call.id)
        if found is not None:
            await self.opens(Opened.ANALYSIS, call.id)
        return found

    async def transcript(self, call_id: str) -> tuple[Call, str]:
        """The call and the transcript's text. Enters the access log."""
        call = await self.call(call_id)
        text = await self._parts.transcript_files.text_of(call)
        await self.opens(Opened.TRANSCRIPT, call.id)
        return call, text

    async def recording(self, call_id: str, *, at_most: int) -> tuple[Call, bytes | None]:
        """The call and the recording, None for one of more bytes. Enters the access log."""
        call = await self.call(call_id)
        if call.audio is None or not await self._parts.files.exists(call.audio.file):
            raise NotFoundError("Записи этого звонка у нас ещё нет: запустите расшифровку")
        await self.opens(Opened.RECORDING, call.id)
        if await self._parts.files.size(call.audio.file) > at_most:
            return call, None
        return call, await self._parts.files.read(call.audio.file)

    def report_only(self, names: Collection[str]) -> Only:
        """Whose calls a report of these administrators counts; of nobody named, all that are
        seen. Whatever an administrator names, it is themselves."""
        if self.own_administrator is not None:
            return frozenset((self.own_administrator,))
        return frozenset(names) or None

    async def report_chart(self, days: DayRange, only: Only) -> bytes:
        """The calls of the days as a picture (PNG). Raises ReportRenderingError."""
        client_id = self.membership.client_id
        return await self._parts.reports.chart(client_id, days, Chart.DAYS, only=only)

    async def make_reports(self, days: DayRange, only: Only) -> list[ReportFile]:
        """PDF, workbook and, of chosen people, the PDF about them, each stored.
        Enters the access log. Raises NotFoundError for days without analysed calls."""
        client_id = self.membership.client_id
        made = await self._parts.reports.generate(client_id, days, only=only)
        names = [made.pdf, made.excel]
        if only is not None:
            names.append(await self._parts.reports.generate_people(client_id, days, only=only))
        return [await self._given(name) for name in names]

    async def report_bytes(self, file: ReportFile) -> bytes:
        """The content of a report made for this seat."""
        return await self._parts.files.read(file.stored)

    async def _given(self, stored: str) -> ReportFile:
        name = stored.rpartition("/")[2]
        await self.opens(Opened.REPORT, name)
        url = self._parts.links.report_url(name, self._parts.clock())
        return ReportFile(stored, name, url, await self._parts.files.size(stored))

    def transcript_url(self, call: Call) -> str:
        """A signed link, empty without a transcript."""
        return self._parts.links.transcript_url(call)

    def recording_url(self, call: Call) -> str:
        """A signed link, empty without our copy of the recording."""
        return self._parts.links.recording_url(call)

    async def opens(self, what: Opened, object_id: str) -> None:
        """Note in the access log that patients' words are given out."""
        await self._parts.access_log.note(
            what,
            object_id,
            self.membership.client_id,
            by=self.by,
            address="",
            request_id=random_id(),
        )

    def _of(self, days: DayRange) -> AsyncIterator[Call]:
        own = self.own_administrator
        where = _SHOWN if own is None else {**_SHOWN, "administrator": own}
        return self._parts.calls.of_days(self.membership.client_id, days, where=where)


def leads_of(calls: Sequence[Call]) -> list[list[Call]]:
    """Calls grouped by the card they belong to: a lead, else a contact, else a phone number.

    Whoever called last comes first.
    """
    groups: dict[tuple[str, object], list[Call]] = {}
    for call in calls:
        groups.setdefault(lead_key(call), []).append(call)
    return sorted(groups.values(), key=lambda group: group[-1].started_at, reverse=True)


def lead_key(call: Call) -> tuple[str, object]:
    """What calls of one card have in common."""
    if call.lead_id:
        return "lead", call.lead_id
    if call.contact_id:
        return "contact", call.contact_id
    return ("phone", call.phone) if call.phone else ("call", call.id)
