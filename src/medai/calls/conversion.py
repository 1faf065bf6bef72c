"""Did the call lead to a booking? Decided from the CRM alone (contract 4.1-4.2), purely.

Detection and verdicts are functions of facts and the call's own business day. Verdicts only grow
(none < secondary < primary < confirmation), so facts may arrive in any order, twice or late, and
the result is the same.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from medai.calls.models import Call
from medai.clinics.models import ConversionConfig, FieldTarget, StatusTarget
from medai.kit.days import DayRange, Window, range_window

OWN_NOTE_ECHO = timedelta(minutes=2)
"""Our own note moves its card's `updated_at` (amocrm.md 4.4): such an update proves nothing."""

_BOOKED = re.compile("записал|записан", re.IGNORECASE)
_PRIMARY = re.compile("первичн", re.IGNORECASE)
_SECONDARY = re.compile("вторичн|повторн", re.IGNORECASE)
_CONFIRMATION = re.compile("подтвержд|подтверж", re.IGNORECASE)
_CONFIRMED = re.compile("подтвержд", re.IGNORECASE)
# A word that begins with «не»: «не подтверждён», «Неподтверждённый», «нет подтверждения».
_NEGATED = re.compile(r"\bне", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PipelineFacts:
    """A pipeline with its (status id, status name) pairs in the CRM's order."""

    id: int
    name: str
    statuses: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """A lead field with its (enum id, text) choices."""

    id: int
    name: str
    choices: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A lead moved into a pipeline's status."""

    lead_id: int
    at: datetime
    pipeline_id: int
    status_id: int


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A lead's custom field took a new value."""

    lead_id: int
    at: datetime
    field_id: int | None
    enum_id: int | None
    text: str


@dataclass(frozen=True, slots=True)
class LeadSnapshot:
    """What a lead holds now: field id -> (enum ids, texts)."""

    lead_id: int
    updated_at: datetime
    fields: Mapping[int, tuple[tuple[int | None, str], ...]]


_Change = TypeVar("_Change", StatusChange, FieldChange)


class Verdict(IntEnum):
    """Conversion types by precedence; the label is the stored `conversion_type`."""

    NONE = 0
    SECONDARY = 1
    PRIMARY = 2
    CONFIRMATION = 3

    @property
    def label(self) -> str | None:
        """The data value of contract 4.2, None when not converted."""
        return _LABELS[self]

    @classmethod
    def of(cls, label: str | None) -> "Verdict":
        """The verdict behind a stored label."""
        return next((verdict for verdict, text in _LABELS.items() if text == label), cls.NONE)


_LABELS: dict[Verdict, str | None] = {
    Verdict.NONE: None,
    Verdict.SECONDARY: "Вторичные -> Записались",
    Verdict.PRIMARY: "Первичные -> Записались",
    Verdict.CONFIRMATION: "Подтверждение -> Подтвержден",
}


def detect_conversion_config(
    pipelines: Sequence[PipelineFacts], fields: Sequence[FieldFacts], *, now: datetime
) -> ConversionConfig | None:
    """The clinic's conversion targets read off its names, or None when nothing usable is there.

    A confirmation field alone is not enough (contract 4.1.3). Never call it for a clinic whose
    configuration is stored: a person may have edited it.
    """
    primary = _booked_status(pipelines, _PRIMARY)
    secondary = _booked_status(pipelines, _SECONDARY)
    if primary is None and secondary is None:
        return None
    return ConversionConfig(
        primary=primary,
        secondary=secondary,
        confirmation_field=_confirmed_choice(fields),
        auto_detected=True,
        detected_at=now,
    )


def own_writes(calls: Iterable[Call]) -> dict[int, tuple[datetime, ...]]:
    """When our notes were written to lead cards, by lead.

    The moment of the attempt counts too: an answer may have been lost after the CRM wrote.
    """
    moments: dict[int, tuple[datetime, ...]] = {}
    for call in calls:
        if call.collection == "leads" and call.lead_id is not None:
            written = call.crm_note.written_at if call.crm_note else None
            known = tuple(at for at in (call.note_attempted_at, written) if at)
            moments[call.lead_id] = moments.get(call.lead_id, ()) + known
    return moments


def enrich_calls_with_conversion(
    calls: Iterable[Call],
    config: ConversionConfig | None,
    *,
    status_changes: Sequence[StatusChange],
    field_changes: Sequence[FieldChange],
    leads: Mapping[int, LeadSnapshot],
    tz: ZoneInfo,
    window_days: int = 0,
    written: Mapping[int, Sequence[datetime]] | None = None,
) -> list[Call]:
    """The calls with `converted` and `conversion_type` raised to what the facts prove.

    Each call is judged on its own business day, prolonged by `window_days`; a verdict that is
    already stored is never lowered. Calls without a lead stay as they are. `written` holds the
    moments of our own notes on leads, whichever call they belong to (see `own_writes`).
    """
    echoes = written or {}
    statuses = _by_lead(status_changes)
    changes = _by_lead(field_changes)
    raised = []
    for call in calls:
        if config is None or call.lead_id is None:
            raised.append(call)
            continue
        window = _call_window(call, tz, window_days)
        verdict = max(
            Verdict.of(call.conversion_type),
            _field_verdict(changes.get(call.lead_id, ()), config, window),
            _snapshot_verdict(
                leads.get(call.lead_id), config, window, echoes.get(call.lead_id, ())
            ),
            _status_verdict(statuses.get(call.lead_id, ()), config, window),
        )
        raised.append(_with_verdict(call, verdict))
    return raised


def _with_verdict(call: Call, verdict: Verdict) -> Call:
    return call.model_copy(
        update={"converted": verdict > Verdict.NONE, "conversion_type": verdict.label}
    )


def _call_window(call: Call, tz: ZoneInfo, window_days: int) -> Window:
    last = call.business_day + timedelta(days=window_days)
    return range_window(DayRange(call.business_day, last), tz)


def _by_lead(changes: Sequence[_Change]) -> dict[int, list[_Change]]:
    grouped: dict[int, list[_Change]] = {}
    for change in changes:
        grouped.setdefault(change.lead_id, []).append(change)
    return grouped


def _status_verdict(
    changes: Sequence[StatusChange], config: ConversionConfig, window: Window
) -> Verdict:
    reached = {(c.pipeline_id, c.status_id) for c in changes if c.at in window}
    if config.primary and (config.primary.pipeline_id, config.primary.status_id) in reached:
        return Verdict.PRIMARY
    if config.secondary and (config.secondary.pipeline_id, config.secondary.status_id) in reached:
        return Verdict.SECONDARY
    return Verdict.NONE


def _field_verdict(
    changes: Sequence[FieldChange], config: ConversionConfig, window: Window
) -> Verdict:
    target = config.confirmation_field
    if target is None:
        return Verdict.NONE
    confirmed = any(
        c.at in window and c.field_id == target.field_id and _confirms(c.enum_id, c.text, target)
        for c in changes
    )
    return Verdict.CONFIRMATION if confirmed else Verdict.NONE


def _snapshot_verdict(
    lead: LeadSnapshot | None,
    config: ConversionConfig,
    window: Window,
    written: Sequence[datetime],
) -> Verdict:
    """Rule 2 of contract 4.2: updated that day and holding the value now."""
    target = config.confirmation_field
    if target is None or lead is None or lead.updated_at not in window:
        return Verdict.NONE
    if any(abs(lead.updated_at - moment) <= OWN_NOTE_ECHO for moment in written):
        return Verdict.NONE
    held = lead.fields.get(target.field_id, ())
    confirmed = any(_confirms(enum_id, text, target) for enum_id, text in held)
    return Verdict.CONFIRMATION if confirmed else Verdict.NONE


def _confirms(enum_id: int | None, text: str, target: FieldTarget) -> bool:
    if enum_id is not None:
        return enum_id == target.enum_id
    return bool(_CONFIRMED.search(text)) and not _NEGATED.search(text)


def _booked_status(
    pipelines: Sequence[PipelineFacts], name: re.Pattern[str]
) -> StatusTarget | None:
    pipeline = next((p for p in pipelines if name.search(p.name)), None)
    if pipeline is None:
        return None
    status = next(((i, text) for i, text in pipeline.statuses if _BOOKED.search(text)), None)
    if status is None:
        return None
    return StatusTarget(
        pipeline_id=pipeline.id,
        pipeline_name=pipeline.name,
        status_id=status[0],
        status_name=status[1],
    )


def _confirmed_choice(fields: Sequence[FieldFacts]) -> FieldTarget | None:
    field = next((f for f in fields if _CONFIRMATION.search(f.name)), None)
    if field is None:
        return None
    for enum_id, text in field.choices:
        if _CONFIRMED.search(text) and not _NEGATED.search(text):
            return FieldTarget(
                field_id=field.id, field_name=field.name, enum_id=enum_id, enum_name=text
            )
    return None
