"""How people of the bot are stored.

A membership is a document of its own, so that it is given and taken by one atomic write; what a
person chose (clinic, notices, quiet hours) is another. A revoked membership stays: it is what
keeps an old `telegram_ids` entry from letting the person in again.
"""

from typing import Any

from medai.infra.documents import Collection, Document
from medai.kit.ids import stable_id
from medai.members.models import Invitation, Member, Membership, Notice

MEMBERS = Collection("members")
MEMBERSHIPS = Collection("memberships", indexes=(("telegram_id",), ("client_id",)))
INVITATIONS = Collection("invitations", unique=(("digest",),), indexes=(("client_id",),))


def membership_id(client_id: str, telegram_id: int) -> str:
    """The id of the document that says what the person is in the clinic."""
    return stable_id("membership", client_id, str(telegram_id))


def membership_document(telegram_id: int, membership: Membership, **more: Any) -> Document:
    """A membership that lives."""
    fields = membership.model_dump()
    doc_id = membership_id(membership.client_id, telegram_id)
    return {"_id": doc_id, "telegram_id": telegram_id, **fields, "revoked_at": None, **more}


def membership_of(document: Document) -> Membership:
    """What a stored membership says."""
    return Membership(**{name: document[name] for name in Membership.model_fields})


def member_of(
    telegram_id: int, document: Document | None, memberships: tuple[Membership, ...]
) -> Member:
    """The person behind living memberships; without a document, as if nothing was chosen yet."""
    stored = document or {}
    looked_at = stored.get("client_id")
    known = {one.client_id for one in memberships}
    chosen = {"quiet": stored["quiet"]} if stored.get("quiet") else {}
    off = stored.get("switched_off", {})
    return Member(
        telegram_id=telegram_id,
        name=stored.get("name", ""),
        memberships=memberships,
        client_id=looked_at if looked_at in known else memberships[0].client_id,
        switched_off=frozenset(notice for notice in Notice if off.get(notice.value)),
        blocked_at=stored.get("blocked_at"),
        **chosen,
    )


def invitation_document(invitation: Invitation) -> Document:
    """The stored form of an invitation."""
    fields = invitation.model_dump()
    return {"_id": fields.pop("id"), **fields}


def invitation_of(document: Document) -> Invitation:
    """The invitation of a stored document."""
    fields = dict(document)
    return Invitation(id=fields.pop("_id"), **fields)
