"""A call that is stored meets fresh CRM facts: what changes, purely.

CRM facts are taken over; everything our own processing has found stays. The result does not
depend on how often or in which order the same facts arrive.
"""

from typing import Any

from medai.calls.conversion import Verdict
from medai.calls.models import UNKNOWN_ADMINISTRATOR, Call, SkipReason, Stage
from medai.clinics.models import Clinic

_FACTS = (
    "collection", "entity_id", "lead_id", "lead_name", "contact_id", "contact_name",
    "responsible_user_id", "crm_administrator", "source", "processing_speed_minutes",
    "processing_speed_label", "direction", "duration_seconds", "phone", "recording_url", "uniq",
    "started_at", "business_day", "converted", "conversion_type",
)  # fmt: skip
_BEFORE_AUDIO = (Stage.DISCOVERED, Stage.SKIPPED, Stage.RECORDED)


def changed_fields(stored: Call, fresh: Call, clinic: Clinic) -> dict[str, Any]:
    """The fields to set on the stored call; empty when the CRM says nothing new."""
    if _says_nothing(stored, fresh):
        return {}
    fresh = _with_kept_verdict(stored, fresh)
    changes = {
        name: getattr(fresh, name)
        for name in _FACTS
        if getattr(fresh, name) != getattr(stored, name)
    }
    if stored.event_id is None and fresh.event_id is not None:
        changes["event_id"] = fresh.event_id
    if clinic.admin_detection_method == "amocrm" and _names_another(stored, fresh):
        changes["administrator"] = fresh.administrator
    return {**changes, **_stage_changes(stored, fresh)}


def is_under_way(call: Call) -> bool:
    """Whether the recording is stored: from here on the call is not turned back."""
    return call.stage not in _BEFORE_AUDIO


def _says_nothing(stored: Call, fresh: Call) -> bool:
    """A skipped call carries no facts of cards, an unreadable note none at all: neither may wipe
    what is known of a call that is kept.
    """
    if fresh.skip_reason is SkipReason.NOTE_MISSING:
        return True
    return fresh.skip_reason is not None and is_under_way(stored)


def _names_another(stored: Call, fresh: Call) -> bool:
    """A card that is gone must not take the known name with it (contract 4.7, FIX)."""
    return fresh.administrator not in (stored.administrator, UNKNOWN_ADMINISTRATOR)


def _stage_changes(stored: Call, fresh: Call) -> dict[str, Any]:
    """A late link or duration revives a call; a call already under way is left alone."""
    if is_under_way(stored):
        return {}
    before = (stored.stage, stored.skip_reason, stored.duplicate_of)
    if before == (fresh.stage, fresh.skip_reason, fresh.duplicate_of):
        return {}
    return {
        "stage": fresh.stage,
        "skip_reason": fresh.skip_reason,
        "duplicate_of": fresh.duplicate_of,
    }


def _with_kept_verdict(stored: Call, fresh: Call) -> Call:
    """Conversion verdicts only grow (calls/conversion.py), but a skipped call has none."""
    if fresh.skip_reason is not None:
        return fresh
    if Verdict.of(stored.conversion_type) <= Verdict.of(fresh.conversion_type):
        return fresh
    return fresh.model_copy(
        update={"converted": stored.converted, "conversion_type": stored.conversion_type}
    )
