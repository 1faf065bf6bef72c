"""What amoCRM answers, as frozen values that tolerate its history; `.raw` keeps the JSON."""

from .account import Account, CustomField, EnumValue, Pipeline, Status, User
from .cards import (
    LOST_STATUS_ID,
    WON_STATUS_ID,
    Company,
    Contact,
    FieldItem,
    FieldValue,
    Lead,
    Link,
)
from .events import Event, FieldChange, StatusRef
from .lenient import JsonObject
from .notes import (
    CALL_NOTE_TYPES,
    NOTE_TEXT_LIMIT,
    CallParams,
    NewNote,
    Note,
    NoteCollection,
)

__all__ = [
    "CALL_NOTE_TYPES",
    "LOST_STATUS_ID",
    "NOTE_TEXT_LIMIT",
    "WON_STATUS_ID",
    "Account",
    "CallParams",
    "Company",
    "Contact",
    "CustomField",
    "EnumValue",
    "Event",
    "FieldChange",
    "FieldItem",
    "FieldValue",
    "JsonObject",
    "Lead",
    "Link",
    "NewNote",
    "Note",
    "NoteCollection",
    "Pipeline",
    "Status",
    "StatusRef",
    "User",
]
