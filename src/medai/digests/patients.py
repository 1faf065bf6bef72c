"""First-time patients who did not book: when people are told, and what they do about it. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum

from medai.analysis.models import CallType
from medai.calls.models import Call
from medai.kit.ids import stable_id
from medai.kit.model import Frozen
from medai.kit.phones import comparable

GRACE = timedelta(minutes=10)
"""From the end of the talk: administrators book after they hang up, and the CRM's word decides
(contract 4.2). A later booking, as long as the clinic's window is open, closes the alert."""
REACH = timedelta(hours=24)
"""Older calls alarm nobody: a night that catches up with a week is no news."""
OPEN_FOR = timedelta(days=7)
"""So long a later booking is looked for."""


class Outcome(StrEnum):
    """How an alert ended. `CRM`: the booking was seen in the CRM, nobody tapped."""

    BOOKED = "booked"
    REFUSED = "refused"
    UNREACHED = "unreached"
    CRM = "crm"


class PatientAlert(Frozen):
    """One lost first-time patient. `changes` counts what people did: messages show a state of it.

    `subject` is the patient as the CRM knows them: the lead, else the number, else the call.
    """

    id: str
    client_id: str
    call_id: str
    lead_id: int | None
    subject: str
    at: datetime
    claimed_by: int | None = None
    claimed_name: str = ""
    claimed_at: datetime | None = None
    called_back_at: datetime | None = None
    outcome: Outcome | None = None
    closed_at: datetime | None = None
    changes: int = 0


def is_lost_patient(call: Call) -> bool:
    """A first-time patient who did not book (contract 7: «первичка»; the CRM decides)."""
    analysis = call.analysis
    return bool(analysis and analysis.call_type_id == CallType.FIRST and not call.converted)


def due_at(call: Call) -> datetime | None:
    """When people are told of the call; None for one that alarms nobody.

    Only a first analysis alarms (`first_analysed_at`): one that is repeated is no news.
    """
    analysis = call.analysis
    if analysis is None or not is_lost_patient(call) or call.analysis_again_at is not None:
        return None
    if call.first_analysed_at != analysis.analysed_at:
        return None
    ended = call.started_at + timedelta(seconds=call.duration_seconds)
    return max(analysis.analysed_at, ended + GRACE)


def is_due(call: Call, now: datetime) -> bool:
    """Whether people are told of the call now."""
    moment = due_at(call)
    return moment is not None and moment <= now and call.started_at > now - REACH


def alert_of(call: Call, now: datetime) -> PatientAlert:
    """The alert of a call that is due; its id is the same for all calls of the patient that day."""
    subject = subject_of(call)
    return PatientAlert(
        id=stable_id("patient", call.client_id, subject, call.business_day.isoformat()),
        client_id=call.client_id,
        call_id=call.id,
        lead_id=call.lead_id,
        subject=subject,
        at=now,
    )


def subject_of(call: Call) -> str:
    """The patient behind the call."""
    if call.lead_id is not None:
        return f"lead:{call.lead_id}"
    number = comparable(call.phone)
    return f"phone:{number}" if number else f"call:{call.id}"
