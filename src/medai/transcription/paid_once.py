"""Paying for one recognition once, whatever crashes in between (design 5.6).

The order is: intent stored, room for the answer taken, effect entered, request sent, raw answer
stored, effect and state done. Reading goes backwards: a stored answer ends every doubt; an intent
under way is left alone until its lease ends; a lost answer is repeated only as often as allowed,
and each repeat is counted.
"""

import asyncio
import hashlib
from datetime import timedelta

from medai.errors import (
    AnswerLostError,
    ConflictError,
    MedaiError,
    ProviderRejectedError,
    StoreError,
)
from medai.infra.documents import Change
from medai.kit.clock import Clock
from medai.kit.ids import random_id, stable_id
from medai.ledger.models import (
    EffectKind,
    EffectState,
    Intent,
    Outcome,
    Subject,
    recognition_effect,
)
from medai.ledger.outcomes import POSSIBLY_CARRIED_OUT, entered
from medai.ledger.ports import Effects
from medai.transcription.answers import RawAnswers
from medai.transcription.ledger import Payment, PaymentState
from medai.transcription.models import Recognition
from medai.transcription.ports import Answered, SpeechToText
from medai.transcription.repository import PaymentRepository
from medai.transcription.work import Work

START_WITHIN = timedelta(seconds=10)
"""A request that was not sent so soon after its intent is not sent any more: it could outlive its
lease, and somebody else would repeat it while it is under way."""
_CLIENT_GRACE = timedelta(seconds=5)
"""The speech client lasts so much longer than its timeout (`integrations/elevenlabs/client.py`)."""

GIVEN_UP = "Ответ распознавания потерян, повторная оплата отклонена: расшифровки не будет"
"""What a call shows whose recognition a person gave up."""


class PaidOnce:
    """Recognition in front of which stand the lock of its payment and the ledger of effects.

    The payment's document decides who may pay; the effect is the line of the bill for one request.
    """

    def __init__(
        self,
        payments: PaymentRepository,
        answers: RawAnswers,
        speech: SpeechToText,
        effects: Effects,
        clock: Clock,
        *,
        repeats_after_lost_answer: int,
        lease: timedelta,
    ) -> None:
        """`lease` must exceed the longest time a request can last in the speech client by
        `START_WITHIN`.
        """
        self._payments = payments
        self._answers = answers
        self._speech = speech
        self._effects = effects
        self._clock = clock
        self._repeats = repeats_after_lost_answer
        self._lease = lease

    async def recognise(self, work: Work, answered: Answered) -> tuple[str, Recognition]:
        """The recognition's id and answer: the stored one, or a new one that is paid now.

        Raises ConflictError while another worker is at it, AnswerLostError when an earlier
        answer was lost and no repeat is left, ProviderRejectedError when a person gave it up,
        StoreError when the answer could not be kept, and what the speech port raises.
        """
        intent = self._intent(work)
        began = await self._payments.begin(intent)
        earlier = intent if began else await self._payments.get(intent.id)
        if earlier is None:  # withdrawn between the two reads
            raise _busy()
        # The answer is looked for after the entry was read: an entry says "done" only when its
        # answer is there, so a missing one cannot mean that somebody has just finished.
        try:
            stored = await self._stored(earlier, work)
        except StoreError:
            if began:
                await self._payments.withdraw(intent)
            raise
        if stored is not None:
            return intent.id, stored
        payment = intent if began else await self._repeated(earlier, intent)
        return intent.id, await self._paid(payment, work, answered)

    def _intent(self, work: Work) -> Payment:
        sha256 = hashlib.sha256(work.audio).hexdigest()
        fingerprint = self._speech.fingerprint(channels=work.channels)
        now = self._clock()
        return Payment(
            id=stable_id(sha256, fingerprint),
            sha256=sha256,
            fingerprint=fingerprint,
            state=PaymentState.REQUESTED,
            owner=random_id(),
            call_id=work.call_id,
            client_id=work.client_id,
            requested_at=now,
            lease_until=now + self._lease,
        )

    async def _stored(self, earlier: Payment, work: Work) -> Recognition | None:
        """The stored answer, even if a process died before saying "done"."""
        answer = await self._answers.read(earlier.id)
        if answer is not None and earlier.state is not PaymentState.DONE:
            await self._done(earlier, recognition_effect(earlier.id, earlier.attempt), answer, work)
        return answer

    async def _repeated(self, earlier: Payment, intent: Payment) -> Payment:
        """One more request although the earlier one may be paid, if any is left.

        An entry that is done but whose answer is gone counts as a lost answer too. Raises
        ConflictError while the earlier request may be under way, AnswerLostError when held,
        ProviderRejectedError when given up.
        """
        if earlier.state is PaymentState.REQUESTED and not earlier.is_abandoned(self._clock()):
            raise _busy()
        if earlier.given_up:
            raise _given_up()
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

    async def _paid(self, payment: Payment, work: Work, answered: Answered) -> Recognition:
        try:
            await self._answers.make_room(payment.id, work.seconds)
            async with entered(self._effects, self._effect(payment, work)) as effect_id:
                if self._clock() - payment.requested_at > START_WITHIN:
                    raise _too_late()
                answer = await self._speech.recognise(
                    work.audio, filename=work.filename, channels=work.channels
                )
        except POSSIBLY_CARRIED_OUT as error:
            await self._hold(payment, error.code)
            await self._answers.give_room_back(payment.id)
            raise
        except MedaiError:
            await self._not_carried_out(payment)
            await self._answers.give_room_back(payment.id)
            raise
        # Shielded: a job that is cancelled now must not throw away what has just been paid for.
        await asyncio.shield(self._finished(payment, effect_id, answer, work, answered))
        return answer

    async def _finished(
        self,
        payment: Payment,
        effect_id: str,
        answer: Recognition,
        work: Work,
        answered: Answered,
    ) -> None:
        await self._answers.keep(payment.id, answer)
        await answered()
        await self._done(payment, effect_id, answer, work)

    async def _done(
        self, payment: Payment, effect_id: str, answer: Recognition, work: Work
    ) -> None:
        """The answer is stored: first the bill, then the lock, so that a crash leaves no gap."""
        billed = Outcome(
            state=EffectState.DONE, provider_ref=answer.provider_ref, used=work.billed(answer)
        )
        await self._effects.finish(effect_id, billed)
        await self._payments.mark_done(payment.id, answer.seconds, self._clock())

    def _effect(self, payment: Payment, work: Work) -> Intent:
        return Intent(
            id=recognition_effect(payment.id, payment.attempt),
            kind=EffectKind.RECOGNITION,
            provider=self._speech.provider,
            model=self._speech.model,
            subject=Subject(client_id=work.client_id, call_id=work.call_id),
            expected=work.expected,
            lease=self._lease,
        )

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
    """A lease that outlives every request with this timeout."""
    return timedelta(seconds=timeout_seconds) + _CLIENT_GRACE + START_WITHIN


def _busy() -> MedaiError:
    return ConflictError("Эту запись уже распознаёт другой процесс: повторите позже")


def _too_late() -> MedaiError:
    return ConflictError("Хранилище отвечало слишком долго: распознавание начнётся заново")


def _held() -> MedaiError:
    return AnswerLostError(
        "speech-to-text",
        "Ответ распознавания потерян и мог быть оплачен: решите о повторе (medai held list)",
    )


def _given_up() -> MedaiError:
    return ProviderRejectedError("speech-to-text", GIVEN_UP)
