"""Transcripts and paid recognitions in the document store; raw answers among the files."""

from collections.abc import AsyncIterator
from datetime import datetime

import stamina
from pydantic import ValidationError

from medai.errors import NotFoundError, StoreError
from medai.infra.documents import Change, Collection, Document, Documents, Range
from medai.infra.files import Files
from medai.transcription.ledger import Payment, PaymentState
from medai.transcription.models import Recognition, Transcript

TRANSCRIPTS = Collection("transcripts", indexes=(("client_id",), ("recognition_id",)))
RECOGNITIONS = Collection(
    "recognitions", indexes=(("sha256",), ("state",), ("client_id", "possibly_paid_twice"))
)
COLLECTIONS = (TRANSCRIPTS, RECOGNITIONS)


class TranscriptRepository:
    """Transcripts by call id."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def get(self, call_id: str) -> Transcript | None:
        """The transcript of a call, or None."""
        document = await self._documents.get(TRANSCRIPTS, call_id)
        if document is None:
            return None
        return Transcript.model_validate(
            {"call_id": document["_id"], **_without(document, "legacy")}
        )

    async def put(self, transcript: Transcript) -> None:
        """Store or replace the transcript of its call."""
        body = transcript.model_dump(exclude={"call_id"})
        await self._documents.put_many(TRANSCRIPTS, [{"_id": transcript.call_id, **body}])

    async def delete(self, call_id: str) -> None:
        """Forget the transcript of a call (erasure on request)."""
        await self._documents.delete(TRANSCRIPTS, {"_id": call_id})


class PaymentRepository:
    """The ledger of paid recognitions and their raw answers (`recognitions/<id>.json`)."""

    def __init__(self, documents: Documents, files: Files) -> None:
        self._documents = documents
        self._files = files

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

    async def finish(self, payment: Payment, recognition: Recognition, now: datetime) -> None:
        """Store the raw answer, then the state. Whoever brings an answer may finish the work.

        The file store gets several tries: failing here would throw away a paid answer.
        """
        data = recognition.model_dump_json().encode()
        async for attempt in stamina.retry_context(on=StoreError, attempts=6, timeout=30):
            with attempt:
                await self._files.write(_file(payment.id), data)
        await self.mark_done(payment.id, recognition.seconds, now)

    async def mark_done(self, payment_id: str, seconds: float, now: datetime) -> None:
        """The answer is in the files: the work is done, whatever the entry said before."""
        done = Change(
            set={"state": PaymentState.DONE.value, "seconds": seconds, "finished_at": now}
        )
        await self._documents.update(RECOGNITIONS, payment_id, done)

    async def answer(self, payment_id: str) -> Recognition | None:
        """The stored raw answer, or None. Raises StoreError when the file is damaged."""
        try:
            data = await self._files.read(_file(payment_id))
        except NotFoundError:
            return None
        try:
            return Recognition.model_validate_json(data)
        except ValidationError as error:
            raise StoreError(
                "Файл оплаченного распознавания повреждён: восстановите его из копии"
            ) from error

    async def allow_repeat(self, sha256: str) -> int:
        """A person allows one more paid request for every held work on this audio."""
        return await self._documents.update_many(
            RECOGNITIONS,
            {"sha256": sha256, "state": PaymentState.UNKNOWN.value},
            Change(increment={"extra_repeats": 1}),
        )

    def held(self) -> AsyncIterator[Payment]:
        """Works whose answer was lost, oldest first."""
        return self._stream({"state": PaymentState.UNKNOWN.value})

    def possibly_paid_twice(self, client_id: str) -> AsyncIterator[Payment]:
        """A clinic's works that may have been paid more than once, oldest first."""
        return self._stream({"client_id": client_id, "possibly_paid_twice": Range(above=0)})

    async def _stream(self, where: Document) -> AsyncIterator[Payment]:
        found = self._documents.find(RECOGNITIONS, where, sort=[("requested_at", 1)])
        async for document in found:
            yield _payment(document)


def _payment(document: Document) -> Payment:
    return Payment.model_validate({"id": document["_id"], **_without(document, "legacy")})


def _without(document: Document, *names: str) -> Document:
    return {key: value for key, value in document.items() if key not in ("_id", *names)}


def _file(payment_id: str) -> str:
    return f"recognitions/{payment_id}.json"
