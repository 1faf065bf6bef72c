"""Whether a lead converted on a day: contract 4.2, written for the sandbox independently."""

from collections.abc import Iterable
from typing import Any

from medai.kit.clock import from_unix
from medai.kit.days import Window
from medai.sandbox.world.crm import Json
from medai.sandbox.world.models import SimEvent
from medai.sandbox.world.setup import CONFIRMED, Setup

BY_CONFIRMATION = "Подтверждение -> Подтвержден"
BY_FIRST = "Первичные -> Записались"
BY_REPEAT = "Вторичные -> Записались"


def conversion_type(
    lead: Json, events: Iterable[SimEvent], window: Window, setup: Setup
) -> str | None:
    """The first rule that holds for the lead within the window, as its stored label, or None."""
    own = sorted(
        (e for e in events if e.entity_id == lead["id"] and e.at in window), key=lambda e: e.at
    )
    if any(_confirms(event, setup) for event in own):
        return BY_CONFIRMATION
    if from_unix(lead["updated_at"]) in window and _holds_confirmation(lead, setup):
        return BY_CONFIRMATION
    reached = [_status_after(e) for e in own if e.type == "lead_status_changed"]
    return next((label for pair in reached if (label := _booking(pair, setup))), None)


def _confirms(event: SimEvent, setup: Setup) -> bool:
    if not (event.type.startswith("custom_field_") and event.type.endswith("_value_changed")):
        return False
    value: Any = event.value_after[0]["custom_field_value"]
    if value["field_id"] != setup.confirmation["id"]:
        return False
    text = str(value["text"]).lower()
    by_text = "подтвержд" in text and "не" not in text
    return bool(value["enum_id"] == setup.confirmation_enum(CONFIRMED) or by_text)


def _holds_confirmation(lead: Json, setup: Setup) -> bool:
    enum = setup.confirmation_enum(CONFIRMED)
    held = (
        value.get("enum_id")
        for item in lead["custom_fields_values"] or ()
        if item["field_id"] == setup.confirmation["id"]
        for value in item["values"]
    )
    return enum in held


def _status_after(event: SimEvent) -> tuple[int, int]:
    status: Any = event.value_after[0]["lead_status"]
    return status["pipeline_id"], status["id"]


def _booking(pair: tuple[int, int], setup: Setup) -> str | None:
    if pair == setup.booked(setup.first):
        return BY_FIRST
    return BY_REPEAT if pair == setup.booked(setup.repeat) else None
