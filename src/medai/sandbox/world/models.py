"""The invented world behind the simulators: clinics, people, calls and what is true of them."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

Speaker = Literal["administrator", "patient"]
CardType = Literal["leads", "contacts", "companies"]


@dataclass(frozen=True, slots=True)
class Line:
    """One spoken line. Times are milliseconds from the recording's start."""

    speaker: Speaker
    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A conversation with the scores that a perfect judge would give.

    `scores`: criterion key -> 0-10, or None when not applicable, for every criterion of the type
    except those that the CRM decides. `proof`: criterion key -> index of the line that proves a
    positive score. `seconds` is the length of the recording; `channels` 1 (mono) or 2 (stereo:
    administrator left, patient right).
    """

    id: str
    call_type_id: int
    lines: tuple[Line, ...]
    scores: dict[str, int | None]
    proof: dict[str, int]
    recommendations: tuple[str, ...]
    seconds: float
    channels: int
    introduced_as: str | None = None
    patient_voice: Literal["female", "male"] = "female"


@dataclass(frozen=True, slots=True)
class Expected:
    """What the product must conclude about a call."""

    skip_reason: str | None = None
    converted: bool = False
    conversion_type: str | None = None
    administrator: str = ""
    source: str = ""
    processing_speed_minutes: int = 0
    lead_id: int | None = None
    lead_name: str = ""
    contact_id: int | None = None
    contact_name: str = ""


@dataclass(frozen=True, slots=True)
class SimCall:
    """A call as the PBX reported it: a note on a card plus an event.

    `recording` is the file name at the recording host; the CRM simulator makes the note's link of
    its own recording host's address and this name. `link` is what `params.link` holds when
    `recording` is None: an address of the note API, or "" for no link. `at` is aware UTC.
    """

    note_id: int
    event_id: str
    collection: CardType
    entity_id: int
    direction: Literal["inbound", "outbound"]
    at: datetime
    phone: str
    duration: int
    uniq: str | None
    recording: str | None
    dialogue: Dialogue | None
    responsible_user_id: int
    expected: Expected
    link: str = ""


@dataclass(frozen=True, slots=True)
class SimEvent:
    """A CRM event other than a call (status or custom-field change), in API form."""

    id: str
    type: str
    entity_id: int
    entity_type: str
    created_by: int
    at: datetime
    value_after: tuple[dict[str, object], ...]
    value_before: tuple[dict[str, object], ...]


@dataclass(frozen=True, slots=True)
class SimShift:
    """Who works on a day, for clinics that attribute calls by schedule."""

    day: date
    first_name: str
    last_name: str


@dataclass(frozen=True, slots=True)
class SimClinic:
    """A clinic with its amoCRM account. CRM objects are raw API v4 JSON, ready to be served.

    `leads`, `contacts`, `companies`: id -> object, with full `_embedded` links (the simulator
    drops what `with=` did not ask for).
    """

    client_id: str
    client_secret: str
    redirect_url: str
    auth_code: str
    name: str
    subdomain: str
    account_id: int
    timezone: str
    attribution: Literal["amocrm", "ai_schedule"]
    users: tuple[dict[str, object], ...]
    pipelines: tuple[dict[str, object], ...]
    custom_fields: tuple[dict[str, object], ...]
    leads: dict[int, dict[str, object]] = field(default_factory=dict)
    contacts: dict[int, dict[str, object]] = field(default_factory=dict)
    companies: dict[int, dict[str, object]] = field(default_factory=dict)
    calls: tuple[SimCall, ...] = ()
    events: tuple[SimEvent, ...] = ()
    schedule: tuple[SimShift, ...] = ()


@dataclass(frozen=True, slots=True)
class World:
    """Everything that exists, generated from one seed for one business day."""

    seed: int
    day: date
    clinics: tuple[SimClinic, ...]

    def clinic(self, subdomain: str) -> SimClinic | None:
        """The clinic that owns the amoCRM account, or None."""
        return next((c for c in self.clinics if c.subdomain == subdomain), None)
