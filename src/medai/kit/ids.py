"""Identifiers that are the same wherever and however often they are computed."""

import hashlib
import uuid

_CALL_ID_HEX_DIGITS = 24
"""The old API shows MongoDB ObjectIds: 24 hexadecimal digits (contract 0)."""


def call_id(client_id: str, note_id: int | str) -> str:
    """The id of the call behind a CRM note: equal for every worker, store and repetition.

    Two workers that discover one note at the same time therefore write one document.
    """
    return stable_id("call", client_id, str(note_id))


def stable_id(*parts: str) -> str:
    """24 hexadecimal digits that depend on all parts and on their borders."""
    joined = "\x1f".join(parts).encode()
    return hashlib.sha256(joined).hexdigest()[:_CALL_ID_HEX_DIGITS]


def random_id() -> str:
    """A new id for something that has no natural key (a run, a report)."""
    return uuid.uuid4().hex[:_CALL_ID_HEX_DIGITS]
