"""Paying for one recognition once, whatever crashes in between (design 5.6).

The order is: intent stored, request sent, raw answer written to the files, state done. Reading
goes backwards: an answer in the files ends every doubt; an intent under way is left alone until
its lease ends; a lost answer is repeated only as often as allowed, and each repeat is counted.
"""

import asyncio
import hashlib
from datetime import timedelta

from medai.errors import (
    AnswerLostError,
    ConflictError,
    MedaiError,
    ProviderAnswerError,
    ProviderRateLimitedError,
    ProviderRejectedError,
    ProviderStoppedError,
    ProviderUnavailableError,
    SettingsError,
    StoreError,
)
from medai.infra.documents import Change
from medai.kit.clock import Clock
from medai.kit.ids import random_id, stable_id
from medai.transcription.ledger import Payment, PaymentState
from medai.transcription.models import Recognition
from medai.transcription.ports import SpeechToText
from medai.transcription.repository import PaymentRepository

_NOT_PAID = (
    ProviderUnavailableError,
    ProviderRateLimitedError,
    ProviderRejectedError,
    ProviderStoppedError,
    SettingsError,
    StoreError,
)
_POSSIBLY_PAID = (AnswerLostError, ProviderAnswerError)


class PaidOnce:
    """Recognition in front of which stands the ledger."""

    def __init__(
        self,
        payments: PaymentRepository,
        speech: SpeechToText,
        clock: Clock,
        *,
        repeats_after_lost_answer: int,
        lease: timedelta,
    ) -> None:
        """`lease` must exceed the longest time a request can last in the speech client."""
        self._payments = payments
        self._speech = speech
        self._clock = clock
        self._repeats = repeats_after_lost_answer
        self._lease = lease

    async def recognise(
        self, audio: bytes, *, filename: str, channels: int, call_id: str, client_id: str
    ) -> tuple[str, Recognition]:
        """The recognition's id and answer: the stored one, or a new one that is paid now.

        Raises ConflictError while another worker is at it, AnswerLostError when an earlier
        answer was lost and no repeat is left, and what the speech port raises.
        """
        intent = self._intent(audio, channels, call_id, client_id)
        began = await self._payments.begin(intent)
        earlier = intent if began else await self._payments.get(intent.id)
        if earlier is None:  # withdrawn between the two reads
            raise _busy()
        # The file is looked for after the entry was read: an entry says "done" only when its file
        # is there, so a missing file cannot mean that somebody has just finished.
        try:
            stored = await self._stored(earlier)
        except StoreError:
            if began:
                await self._payments.withdraw(intent)
            raise
        if stored is not None:
            return intent.id, stored
        payment = intent if began else await self._repeated(earlier, intent)
        return intent.id, await self._paid(payment, audio, filename, channels)

    def _intent(self, audio: bytes, channels: int, call_id: str, client_id: str) -> Payment:
        sha256 = hashlib.sha256(audio).hexdigest()
        fingerprint = self._speech.fingerprint(channels=channels)
        now = self._clock()
        return Payment(
            id=stable_id(sha256, fingerprint),
            sha256=sha256,
            fingerprint=fingerprint,
            state=PaymentState.REQUESTED,
            owner=random_id(),
            call_id=call_id,
            client_id=client_id,
            requested_at=now,
            lease_until=now + self._lease,
        )

    async def _stored(self, earlier: Payment) -> Recognition | None:
        """The answer in the files, even if a process died before saying "done"."""
        answer = await self._payments.answer(earlier.id)
        if answer is not None and earlier.state is not PaymentState.DONE:
            await self._payments.mark_done(earlier.id, answer.seconds, self._clock())
        return answer

    async def _repeated(self, earlier: Payment, intent: Payment) -> Payment:
        """One more request although the earlier one may be paid, if any is left.

        An entry that is done but whose file is gone counts as a lost answer too. Raises
        ConflictError while the earlier request may be under way, AnswerLostError when held.
        """
        if earlier.state is PaymentState.REQUESTED and not earlier.is_abandoned(self._clock()):
            raise _busy()
        if not earlier.may_repeat(self._repeats):
            if earlier.state is not PaymentState.UNKNOWN:
                await self._hold(earlier, "answer_lost")
            raise _held()
        repeat = {
            "state": PaymentState.REQUESTED.value,
            "owner": intent.owner,
            "requested_at": intent.requested_at,
            "lease_until": intent.lease_until,
        }
        counted = Change(set=repeat, increment={"attempt": 1, "possibly_paid_twice": 1})
        if not await self._payments.change(earlier, counted):
            raise _busy()
        claimed = await self._payments.get(intent.id)
        if claimed is None or claimed.owner != intent.owner:
            raise _busy()
        return claimed

    async def _paid(
        self, payment: Payment, audio: bytes, filename: str, channels: int
    ) -> Recognition:
        try:
            answer = await self._speech.recognise(audio, filename=filename, channels=channels)
        except _NOT_PAID:
            await self._not_carried_out(payment)
            raise
        except _POSSIBLY_PAID as error:
            await self._hold(payment, error.code)
            raise
        # Shielded: a job that is cancelled now must not throw away what has just been paid for.
        await asyncio.shield(self._payments.finish(payment, answer, self._clock()))
        return answer

    async def _not_carried_out(self, payment: Payment) -> None:
        """Undo the intent; a repeat falls back to what it was before, an answer lost once."""
        if payment.attempt == 1:
            await self._payments.withdraw(payment)
            return
        undone = Change(
            set={"state": PaymentState.UNKNOWN.value},
            increment={"attempt": -1, "possibly_paid_twice": -1},
        )
        await self._payments.change(payment, undone)

    async def _hold(self, payment: Payment, reason: str) -> None:
        held = Change(set={"state": PaymentState.UNKNOWN.value, "reason": reason})
        await self._payments.change(payment, held)


def lease_for(timeout_seconds: float) -> timedelta:
    """A lease that outlives a request with this timeout by a minute."""
    return timedelta(seconds=timeout_seconds + 60)


def _busy() -> MedaiError:
    return ConflictError("Эту запись уже распознаёт другой процесс: повторите позже")


def _held() -> MedaiError:
    return AnswerLostError(
        "speech-to-text",
        "Ответ распознавания потерян и мог быть оплачен: разрешите повтор вручную",
    )
