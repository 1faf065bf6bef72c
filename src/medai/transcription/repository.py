"""Transcripts and payments of recognitions in the document store."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from medai.infra.documents import Change, Collection, Document, Documents, OneOf, Range
from medai.transcription.answers import RECOGNITION_ANSWERS
from medai.transcription.ledger import Payment, PaymentState
from medai.transcription.models import Transcript

TRANSCRIPTS = Collection("transcripts", indexes=(("client_id",), ("recognition_id",)))
RECOGNITIONS = Collection(
    "recognitions", indexes=(("sha256",), ("state",), ("client_id", "possibly_paid_twice"))
)
COLLECTIONS = (TRANSCRIPTS, RECOGNITIONS, RECOGNITION_ANSWERS)


class TranscriptRepository:
    """Transcripts by call id."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def get(self, call_id: str) -> Transcript | None:
        """The transcript of a call, or None."""
        document = await self._documents.get(TRANSCRIPTS, call_id)
        return _transcript(document) if document is not None else None

    async def of_calls(self, call_ids: Sequence[str]) -> dict[str, Transcript]:
        """Those transcripts that exist, by call; at most 200 calls."""
        where = {"_id": OneOf(tuple(call_ids))}
        found = self._documents.find(TRANSCRIPTS, where, sort=(("_id", 1),))
        return {document["_id"]: _transcript(document) async for document in found}

    async def put(self, transcript: Transcript) -> None:
        """Store or replace the transcript of its call."""
        body = transcript.model_dump(exclude={"call_id"})
        await self._documents.put_many(TRANSCRIPTS, [{"_id": transcript.call_id, **body}])

    async def delete(self, call_id: str) -> None:
        """Forget the transcript of a call (erasure on request)."""
        await self._documents.delete(TRANSCRIPTS, {"_id": call_id})


class PaymentRepository:
    """What is known about paying for each recognition: the lock that lets one worker pay."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def get(self, payment_id: str) -> Payment | None:
        """The ledger entry, or None."""
        document = await self._documents.get(RECOGNITIONS, payment_id)
        return _payment(document) if document is not None else None

    async def begin(self, payment: Payment) -> bool:
        """Store the intent; False when there is one already, so two workers cannot both pay."""
        document = payment.model_dump(exclude={"id"})
        return await self._documents.insert(RECOGNITIONS, {"_id": payment.id, **document})

    async def withdraw(self, payment: Payment) -> None:
        """Remove the intent of a first attempt that certainly was not carried out."""
        await self._documents.delete(RECOGNITIONS, {"_id": payment.id, "owner": payment.owner})

    async def change(self, payment: Payment, change: Change) -> bool:
        """Change the entry if nobody changed its owner or state since it was read."""
        seen = {"owner": payment.owner, "state": payment.state.value}
        return await self._documents.update(RECOGNITIONS, payment.id, change, where=seen)

    async def mark_done(self, payment_id: str, seconds: float, now: datetime) -> None:
        """The answer is stored: the work is done, whatever the entry said before."""
        done = Change(
            set={"state": PaymentState.DONE.value, "seconds": seconds, "finished_at": now}
        )
        await self._documents.update(RECOGNITIONS, payment_id, done)

    async def allow_repeat(self, payment: Payment) -> bool:
        """A person allows one more paid request; False when the work went on since it was read."""
        return await self._decide(
            payment, Change(set={"given_up": False}, increment={"extra_repeats": 1})
        )

    async def give_up(self, payment: Payment) -> bool:
        """A person decides not to pay again; False when the work went on since it was read."""
        return await self._decide(payment, Change(set={"given_up": True}))

    def held(self) -> AsyncIterator[Payment]:
        """Works whose answer was lost, oldest first; some may still be repeated by themselves."""
        return self._stream({"state": PaymentState.UNKNOWN.value})

    def possibly_paid_twice(self, client_id: str) -> AsyncIterator[Payment]:
        """A clinic's works that may have been paid more than once, oldest first."""
        return self._stream({"client_id": client_id, "possibly_paid_twice": Range(above=0)})

    async def _decide(self, payment: Payment, change: Change) -> bool:
        seen = {
            "owner": payment.owner,
            "state": PaymentState.UNKNOWN.value,
            "extra_repeats": payment.extra_repeats,
        }
        return await self._documents.update(RECOGNITIONS, payment.id, change, where=seen)

    async def _stream(self, where: Document) -> AsyncIterator[Payment]:
        found = self._documents.find(RECOGNITIONS, where, sort=[("requested_at", 1)])
        async for document in found:
            yield _payment(document)


def _transcript(document: Document) -> Transcript:
    return Transcript.model_validate({"call_id": document["_id"], **_without(document, "legacy")})


def _payment(document: Document) -> Payment:
    return Payment.model_validate({"id": document["_id"], **_without(document, "legacy")})


def _without(document: Document, *names: str) -> Document:
    return {key: value for key, value in document.items() if key not in ("_id", *names)}
