"""Alerts of first-time patients who did not book: found, claimed, closed, kept up to date."""

from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from medai.analysis.models import CallType
from medai.calls.models import Call
from medai.calls.repository import CallRepository
from medai.clinics.models import Clinic
from medai.clinics.repository import ClinicRepository
from medai.clinics.zones import shown_zone
from medai.digests.hearing import told_of
from medai.digests.models import PatientNotice, Reason
from medai.digests.patients import GRACE, OPEN_FOR, REACH, Outcome, PatientAlert, alert_of, is_due
from medai.errors import NotFoundError
from medai.infra.documents import Change, Collection, Document, Documents, OneOf, Range
from medai.kit.chunks import chunks
from medai.kit.clock import Clock
from medai.members.models import Member, Notice
from medai.metrics.selection import ANALYSED
from medai.processing.digests.deliveries import Deliveries, Delivery, Due, Kind, State
from medai.processing.digests.people import People, concerned, split
from medai.reports.ports import Analyses

PATIENT_ALERTS = Collection(
    "patient_alerts",
    unique=(("call_id",),),
    indexes=(("outcome", "at"), ("client_id", "subject"), ("stale",)),
)
_OVERLAP = GRACE + timedelta(minutes=5)
"""A scan begins so long before the last one: calls wait for their grace, clocks differ."""
_IDS = 200


class PatientAlerts:
    """Alerts in the document store. Raises StoreError."""

    def __init__(
        self,
        *,
        documents: Documents,
        clinics: ClinicRepository,
        calls: CallRepository,
        analyses: Analyses,
        people: People,
        deliveries: Deliveries,
        clock: Clock,
    ) -> None:
        self._documents = documents
        self._clinics = clinics
        self._calls = calls
        self._analyses = analyses
        self._people = people
        self._deliveries = deliveries
        self._clock = clock
        self._scanned_at: datetime | None = None
        self._told: set[str] = set()

    async def find(self) -> int:
        """Note the patients that people have to hear of; returns how many are new."""
        now, found = self._clock(), 0
        async for call in self._calls.of_days(None, None, where=self._recent(now)):
            if is_due(call, now) and await self._raise(call, now):
                found += 1
        self._scanned_at = now
        return found

    async def due(self) -> AsyncGenerator[Due, None]:
        """Messages of alerts that nobody has dealt with for good."""
        now = self._clock()
        where: Document = {"outcome": None, "at": Range(above=now - REACH)}
        open_alerts = [alert async for alert in self._alerts(where) if alert.id not in self._told]
        for alert in open_alerts:
            clinic = await self._clinics.by_client_id(alert.client_id)
            if clinic is None:
                self._told.add(alert.id)  # the clinic was taken out of the installation
                continue
            told = await self._deliveries.told(_subject(alert))
            members = await self._members(clinic)
            ready, later = split(members, told, now, shown_zone(clinic))
            notice = await self._notice(alert, clinic) if ready else None
            if notice is not None:
                for member in ready:
                    yield Due(
                        Kind.PATIENT, member.telegram_id, _subject(alert), notice, alert.changes
                    )
            elif not later:
                self._told.add(alert.id)

    async def outdated(self) -> AsyncGenerator[tuple[Delivery, PatientNotice], None]:
        """Messages that show an earlier state of their alert, with what they have to show."""
        for alert in [alert async for alert in self._alerts({"stale": True})]:
            clinic = await self._clinics.by_client_id(alert.client_id)
            notice = await self._notice(alert, clinic) if clinic else None
            told = await self._deliveries.told(_subject(alert))
            for delivery in told.values():
                if (
                    notice
                    and delivery.state is State.SENT
                    and delivery.shows < alert.changes
                    and await self._may_follow(delivery.chat_id, alert.client_id)
                ):
                    yield delivery, notice
            if any(one.state is State.SENDING for one in told.values()):
                continue  # it shows what was before, and can be edited once it is there
            seen = {"changes": alert.changes}
            await self._documents.update(
                PATIENT_ALERTS, alert.id, Change(set={"stale": False}), where=seen
            )

    async def close_booked(self) -> int:
        """Close alerts whose patient has a booking in the CRM by now; returns how many."""
        since = self._clock() - OPEN_FOR
        of_clinic: defaultdict[str, list[PatientAlert]] = defaultdict(list)
        async for alert in self._alerts({"outcome": None, "at": Range(above=since)}):
            of_clinic[alert.client_id].append(alert)
        closed = 0
        for client_id, alerts in of_clinic.items():
            for piece in chunks(alerts, _IDS):
                for alert in await self._booked(client_id, piece):
                    closed += await self._end(alert.id, Outcome.CRM, {})
        return closed

    async def require(self, alert_id: str) -> PatientAlert:
        """The alert. Raises NotFoundError."""
        found = await self._documents.get(PATIENT_ALERTS, alert_id)
        if found is None:
            raise unknown_alert()
        return _from_document(found)

    async def claim(self, alert_id: str, by: Member) -> bool:
        """Take the patient over; False when somebody has, or the alert is closed."""
        now = self._clock()
        fields = {"claimed_by": by.telegram_id, "claimed_name": by.name, "claimed_at": now}
        return await self._change(alert_id, fields, {"claimed_by": None})

    async def called_back(self, alert_id: str, by: Member) -> bool:
        """The one who took the patient over has rung."""
        own = {"claimed_by": by.telegram_id, "called_back_at": None}
        return await self._change(alert_id, {"called_back_at": self._clock()}, own)

    async def close(self, alert_id: str, outcome: Outcome, by: Member) -> bool:
        """The one who took the patient over says how it ended."""
        return await self._end(alert_id, outcome, {"claimed_by": by.telegram_id})

    async def _end(self, alert_id: str, outcome: Outcome, where: Document) -> bool:
        fields = {"outcome": outcome.value, "closed_at": self._clock()}
        return await self._change(alert_id, fields, where)

    async def _change(self, alert_id: str, fields: Document, where: Document) -> bool:
        change = Change(set={**fields, "stale": True}, increment={"changes": 1})
        return await self._documents.update(
            PATIENT_ALERTS, alert_id, change, where={"outcome": None, **where}
        )

    def _recent(self, now: datetime) -> dict[str, Any]:
        since = now - REACH if self._scanned_at is None else self._scanned_at - _OVERLAP
        return {
            "analysis.analysed_at": Range(at_least=since),
            "analysis.call_type_id": int(CallType.FIRST),
            "converted": False,
            "stage": OneOf(tuple(stage.value for stage in ANALYSED)),
        }

    async def _raise(self, call: Call, now: datetime) -> bool:
        alert = alert_of(call, now)
        where: Document = {
            "client_id": alert.client_id,
            "subject": alert.subject,
            "at": Range(above=now - REACH),
        }
        if [one async for one in self._alerts(where, limit=1)]:
            return False
        fields = alert.model_dump()
        stored = {"_id": fields.pop("id"), **fields, "stale": False}
        return await self._documents.insert(PATIENT_ALERTS, stored)

    async def _members(self, clinic: Clinic) -> list[Member]:
        members = self._people.of_clinic(clinic.client_id)
        return [
            member
            async for member in members
            if concerned(member, clinic.client_id, Notice.MISSED_PATIENT)
        ]

    async def _may_follow(self, telegram_id: int, client_id: str) -> bool:
        """Whoever was taken out meanwhile does not read in an old message what came of it."""
        member = await self._people.member(telegram_id)
        membership = member.of(client_id) if member else None
        return membership is not None and membership.role.sees_everyone

    async def _notice(self, alert: PatientAlert, clinic: Clinic) -> PatientNotice | None:
        call = await self._calls.get(alert.call_id)
        if call is None:
            return None
        proof = (await self._analyses.of_calls([call.id])).get(call.id)
        return PatientNotice(
            alert=alert,
            clinic_name=clinic.name,
            tz=shown_zone(clinic),
            call=told_of(call, Reason.LOST_PATIENT, proof),
            seconds=call.duration_seconds,
            phone=call.phone,
        )

    async def _booked(self, client_id: str, alerts: Sequence[PatientAlert]) -> list[PatientAlert]:
        leads = sorted({alert.lead_id for alert in alerts if alert.lead_id is not None})
        calls = await self._calls.of_ids([alert.call_id for alert in alerts])
        days = {alert.id: calls[alert.call_id].business_day for alert in alerts
                if alert.call_id in calls}  # fmt: skip
        calls |= await self._calls.of_leads(client_id, leads)
        booked = [call for call in calls.values() if call.converted]
        return [
            alert
            for alert in alerts
            if alert.id in days
            and any(_is_of(call, alert) and call.business_day >= days[alert.id] for call in booked)
        ]

    async def _alerts(
        self, where: Document, limit: int | None = None
    ) -> AsyncIterator[PatientAlert]:
        sort = (("at", 1),)
        async for one in self._documents.find(PATIENT_ALERTS, where, sort=sort, limit=limit):
            yield _from_document(one)


def unknown_alert() -> NotFoundError:
    """What is said of an alert that does not exist, or not for whoever asks."""
    return NotFoundError("Оповещение не найдено: оно устарело")


def _is_of(call: Call, alert: PatientAlert) -> bool:
    return call.id == alert.call_id or (alert.lead_id is not None and call.lead_id == alert.lead_id)


def _subject(alert: PatientAlert) -> str:
    return f"patient:{alert.id}"


def _from_document(document: Document) -> PatientAlert:
    fields = dict(document)
    fields.pop("stale")
    return PatientAlert(id=fields.pop("_id"), **fields)
