"""Notes and the calls inside them (amocrm.md 4)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

from .lenient import JsonObject, integer, moment, parameters, seconds, text

NoteCollection = Literal["leads", "contacts", "companies", "customers"]
"""There is no common note list: a note lives under the type of its card (amocrm.md 4.1)."""

CALL_NOTE_TYPES = ("call_in", "call_out")

NOTE_TEXT_LIMIT = 20_000
"""Characters of a common note; one more is answered with 400 TooLong (amocrm.md 4.3)."""


@dataclass(frozen=True, slots=True)
class CallParams:
    """What the PBX wrote about a call.

    `duration` is in seconds, 0 when unknown. `link` is None when there is no recording (yet).
    `responsible` is a user id or a name, as the PBX pleased. Phone and link stay out of `repr`,
    so that they do not reach logs.
    """

    uniq: str | None
    duration: int
    source: str
    link: str | None = field(repr=False)
    phone: str = field(repr=False)
    responsible: int | str | None = field(repr=False)
    status: int | None
    result: str = field(repr=False)

    @classmethod
    def parse(cls, params: JsonObject) -> Self:
        """From note parameters with lower-case keys; legacy `src` is today's `source`."""
        responsible = text(params.get("call_responsible"))
        return cls(
            uniq=text(params.get("uniq")) or None,
            duration=seconds(params.get("duration")),
            source=text(params.get("source")) or text(params.get("src")),
            link=text(params.get("link")) or None,
            phone=text(params.get("phone")),
            responsible=integer(responsible) if responsible.isdecimal() else responsible or None,
            status=integer(params.get("call_status")),
            result=text(params.get("call_result")),
        )


@dataclass(frozen=True, slots=True)
class Note:
    """A note on a card of `collection`. `params` keys are lower-case. Times are UTC."""

    id: int
    collection: NoteCollection
    entity_id: int
    type: str
    created_by: int
    responsible_user_id: int | None
    created_at: datetime
    updated_at: datetime
    params: dict[str, Any] = field(repr=False)
    raw: JsonObject = field(repr=False, compare=False)

    @classmethod
    def parse(cls, row: JsonObject, collection: NoteCollection) -> Self | None:
        """The note, or None when it has no id, card or time to be stored under."""
        note_id, entity_id = integer(row.get("id")), integer(row.get("entity_id"))
        created_at, updated_at = moment(row.get("created_at")), moment(row.get("updated_at"))
        known = created_at or updated_at
        if note_id is None or entity_id is None or known is None:
            return None
        return cls(
            id=note_id,
            collection=collection,
            entity_id=entity_id,
            type=text(row.get("note_type")),
            created_by=integer(row.get("created_by")) or 0,
            responsible_user_id=integer(row.get("responsible_user_id")),
            created_at=known,
            updated_at=updated_at or known,
            params=parameters(row.get("params")),
            raw=row,
        )

    @property
    def is_call(self) -> bool:
        """Whether it is a telephone call."""
        return self.type in CALL_NOTE_TYPES

    @property
    def call(self) -> CallParams:
        """The parameters read as those of a call; empty values when it is none."""
        return CallParams.parse(self.params)

    @property
    def text(self) -> str:
        """The text of a common or service note; empty for other types."""
        return text(self.params.get("text"))


@dataclass(frozen=True, slots=True)
class NewNote:
    """A common note to write. Several notes of one card need different `created_at` seconds:
    of equal ones the CRM's screen shows only one (amocrm.md 4.3). None leaves it to the CRM.
    """

    entity_id: int
    text: str = field(repr=False)
    created_at: datetime | None = None
