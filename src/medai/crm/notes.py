"""Writing a transcript back to the card that holds the call, exactly once (design 5.7)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from medai.calls.models import Call, CrmNote
from medai.crm.ports import Cards, Crm
from medai.errors import AnswerLostError
from medai.kit.clock import Clock
from medai.ledger.models import (
    EffectKind,
    EffectState,
    Intent,
    Outcome,
    Subject,
    note_effect,
)
from medai.ledger.outcomes import entered
from medai.ledger.ports import Effects

_PROVIDER = "amocrm"
_MARKER = re.compile(r"#medai:[0-9a-f]{24}(?::\d+/\d+)?")


NOTE_LEASE = timedelta(minutes=15)
"""A posting waits for its turn, for the account's pauses and for three exchanges of 90 seconds."""


async def write_transcript(
    crm: Crm,
    effects: Effects,
    call: Call,
    texts: Sequence[str],
    clock: Clock,
    *,
    look_first: bool,
) -> CrmNote:
    """Write the texts as notes and return their ids in order; every posting is an effect.

    Each text ends with its own marker line. `look_first` tells that an earlier attempt may have
    written some of them: then the card is read and only missing parts are posted. amoCRM has no
    idempotency for notes (amocrm.md 4.4), so a lost answer is looked up once. A part that is not
    on the card then is not posted at once, because the first posting may still be on its way:
    AnswerLostError is raised, and the next attempt looks first. Raises the ProviderError family
    and StoreError.
    """
    if call.collection is None or call.entity_id is None:
        raise ValueError("only calls that came from the CRM have a card")
    card = _Card(crm, call.collection, call.entity_id, f"#medai:{call.id}")
    posting = _Posting(card, effects, call)
    written = await card.written() if look_first else {}
    ids = []
    for part, text in enumerate(texts, start=1):
        marker = marker_of(text)
        if look_first:
            await posting.looked_up(part, written.get(marker))
        if marker not in written:
            written[marker] = await posting.post(part, text, marker)
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

    async def add(self, text: str) -> int:
        return await self.crm.add_note(self.collection, self.entity_id, text)

    async def written(self) -> dict[str, int]:
        return await self.crm.find_own_notes(self.collection, self.entity_id, self.marker)


@dataclass(frozen=True, slots=True)
class _Posting:
    """Postings to one card with their lines in the ledger."""

    card: _Card
    effects: Effects
    call: Call

    async def post(self, part: int, text: str, marker: str) -> int:
        try:
            async with entered(self.effects, self._intent(part)) as effect_id:
                note_id = await self.card.add(text)
        except AnswerLostError:
            found = (await self.card.written()).get(marker)
            if found is None:
                raise
            await self.looked_up(part, found)
            return found
        await self.effects.finish(effect_id, _written(note_id))
        return note_id

    async def looked_up(self, part: int, note_id: int | None) -> None:
        """The card says what became of an earlier posting of this part, if there was one."""
        outcome = _NOT_ON_CARD if note_id is None else _written(note_id)
        await self.effects.finish(note_effect(self.call.id, part), outcome)

    def _intent(self, part: int) -> Intent:
        return Intent(
            id=note_effect(self.call.id, part),
            kind=EffectKind.CRM_NOTE,
            provider=_PROVIDER,
            subject=Subject(client_id=self.call.client_id, call_id=self.call.id),
            lease=NOTE_LEASE,
        )


_NOT_ON_CARD = Outcome(state=EffectState.FAILED, reason="not_on_card")


def _written(note_id: int) -> Outcome:
    return Outcome(state=EffectState.DONE, provider_ref=str(note_id))
