"""Which calls are not worth a download, decided before anything is paid for (contract 4.3)."""

from collections.abc import Container, Iterable

from medai.calls.models import Call, SkipReason, Stage

SHORTEST_KEPT_SECONDS = 6
"""Calls of 1-5 s hold no conversation (contract 4.3)."""


def skip_reason(*, duration_seconds: int, recording_url: str | None) -> SkipReason | None:
    """Why a call with these facts is skipped, or None."""
    if duration_seconds <= 0:
        return SkipReason.ZERO_DURATION
    if duration_seconds < SHORTEST_KEPT_SECONDS:
        return SkipReason.SHORT
    if recording_url and is_note_link(recording_url):
        return SkipReason.NOTE_LINK
    return None


def is_note_link(url: str) -> bool:
    """A link to the CRM's own note instead of a recording (contract 4.3)."""
    return "/api/v4/contacts/" in url and "/notes/" in url


def mark_duplicates(calls: Iterable[Call], under_way: Container[str] = ()) -> list[Call]:
    """The calls with every repetition of one PBX call marked, the lowest note id being kept.

    One call is posted twice when a PBX widget and an integration both report it, or on a contact
    and on its lead; `uniq` is the PBX's own id (amocrm.md 11.1). The lowest note id is the
    earliest note, whichever of them reached us first. Only a call whose id is in `under_way`
    (its recording is stored already) goes before it: turning it back would process it twice.
    """
    calls = list(calls)
    kept: dict[tuple[str, str], Call] = {}
    for call in sorted(calls, key=lambda each: (each.id not in under_way, _note_order(each))):
        if call.uniq and call.skip_reason is None:
            kept.setdefault((call.client_id, call.uniq), call)
    return [_marked(call, kept.get((call.client_id, call.uniq or ""))) for call in calls]


def _marked(call: Call, original: Call | None) -> Call:
    if original is None or original.id == call.id or call.skip_reason is not None:
        return call
    return call.model_copy(
        update={
            "skip_reason": SkipReason.DUPLICATE,
            "duplicate_of": original.id,
            "stage": Stage.SKIPPED,
            # The original carries the booking: counted twice it would be two patients.
            "converted": False,
            "conversion_type": None,
        }
    )


def _note_order(call: Call) -> tuple[int, str]:
    return (call.note_id, "") if isinstance(call.note_id, int) else (1 << 62, call.note_id)
