"""Counting what a log extract holds, purely (contract 1.5, events/stats)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from medai.crm.ports import CallNote
from medai.crm.reading import CALL_EVENTS, LoggedEvent

CHAT_EVENTS = ("incoming_chat_message", "outgoing_chat_message")


@dataclass(frozen=True, slots=True)
class LogStatistics:
    """Counts of one extract. Durations are in seconds."""

    types: Mapping[str, int]
    leads: int
    contacts: int
    calls: int
    total_duration: int
    with_recording: int
    zero_duration: int
    repetitions: int

    @property
    def average_duration(self) -> float:
        """Mean seconds of a call, silent ones included as the old system counted."""
        return self.total_duration / self.calls if self.calls else 0.0


def count(events: Sequence[LoggedEvent], notes: Mapping[int, CallNote]) -> LogStatistics:
    """The counts. A call whose note is gone has no known length and counts as silent."""
    calls = [event for event in events if event.type in CALL_EVENTS]
    known = [notes.get(event.note_id or 0) for event in calls]
    lengths = [note.duration_seconds if note else 0 for note in known]
    return LogStatistics(
        types=dict(Counter(event.type for event in events)),
        leads=_cards(events, "lead"),
        contacts=_cards(events, "contact"),
        calls=len(calls),
        total_duration=sum(lengths),
        with_recording=sum(bool(note and note.link) for note in known),
        zero_duration=lengths.count(0),
        repetitions=repetitions(note for note in known if note),
    )


def repetitions(notes: Iterable[CallNote]) -> int:
    """How many notes repeat a call that another of them tells of: the PBX's id is the same."""
    once = {note.note_id: note for note in notes}
    counted = Counter(note.uniq for note in once.values() if note.uniq)
    return sum(number - 1 for number in counted.values())


def _cards(events: Iterable[LoggedEvent], entity_type: str) -> int:
    return len({event.entity_id for event in events if event.entity_type == entity_type})
