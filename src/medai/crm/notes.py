"""Writing a transcript back to the card that holds the call, exactly once (design 5.7)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from medai.calls.models import Call, CrmNote
from medai.crm.ports import Cards, Crm
from medai.errors import AnswerLostError
from medai.kit.clock import Clock

_MARKER = re.compile(r"#medai:[0-9a-f]{24}(?::\d+/\d+)?")


async def write_transcript(
    crm: Crm, call: Call, texts: Sequence[str], clock: Clock, *, look_first: bool
) -> CrmNote:
    """Write the texts as notes and return their ids in order.

    Each text ends with its own marker line. `look_first` tells that an earlier attempt may have
    written some of them: then the card is read and only missing parts are posted. A lost
    answer is looked up before anything is repeated, because amoCRM has no idempotency for notes
    (amocrm.md 4.4). Raises the ProviderError family.
    """
    if call.collection is None or call.entity_id is None:
        raise ValueError("only calls that came from the CRM have a card")
    card = _Card(crm, call.collection, call.entity_id, f"#medai:{call.id}")
    written = await card.written() if look_first else {}
    ids = []
    for text in texts:
        marker = marker_of(text)
        if marker not in written:
            written[marker] = await card.post(text, marker)
        ids.append(written[marker])
    return CrmNote(note_ids=tuple(ids), written_at=clock())


def marker_of(text: str) -> str:
    """The marker line of one of our notes."""
    found = _MARKER.findall(text)
    if not found:
        raise ValueError("a note of ours carries a marker")
    return str(found[-1])


@dataclass(frozen=True, slots=True)
class _Card:
    crm: Crm
    collection: Cards
    entity_id: int
    marker: str

    async def post(self, text: str, marker: str) -> int:
        try:
            return await self.crm.add_note(self.collection, self.entity_id, text)
        except AnswerLostError:
            found = await self.written()
            if marker in found:
                return found[marker]
            return await self.crm.add_note(self.collection, self.entity_id, text)

    async def written(self) -> dict[str, int]:
        return await self.crm.find_own_notes(self.collection, self.entity_id, self.marker)
