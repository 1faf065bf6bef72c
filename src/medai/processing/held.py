"""Work that waits for a person because an answer was lost: what it is, and what was decided."""

from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal

import structlog

from medai.calls.models import Call, Failure, Step
from medai.calls.repository import CallRepository
from medai.errors import ConflictError, NotFoundError
from medai.kit.clock import Clock
from medai.kit.model import Frozen
from medai.ledger.models import Decision, Effect, EffectKind, recognition_effect
from medai.ledger.service import EffectLedger
from medai.processing.requests import WorkRequests
from medai.transcription.ledger import Payment
from medai.transcription.paid_once import GIVEN_UP
from medai.transcription.service import TranscriptionService

_log = structlog.get_logger(__name__)

_STEPS = {EffectKind.RECOGNITION: Step.TRANSCRIPTION, EffectKind.CRM_NOTE: Step.NOTE}
_GIVEN_UP = {
    Step.TRANSCRIPTION: GIVEN_UP,
    Step.NOTE: "Ответ amoCRM на заметку потерян, повтор отклонён: проверьте карточку сами",
}


class HeldItem(Frozen):
    """One held work. `id` is that of its last effect; `cost` is what a repetition costs once more.

    `since` is when the lost request was sent.
    """

    id: str
    kind: EffectKind
    client_id: str
    call_id: str
    since: datetime
    cost: Decimal
    currency: str
    reason: str


class HeldWork:
    """Lists what is held and carries out decisions. Language model requests are never held."""

    def __init__(
        self,
        calls: CallRepository,
        transcription: TranscriptionService,
        ledger: EffectLedger,
        requests: WorkRequests,
        clock: Clock,
    ) -> None:
        self._calls = calls
        self._transcription = transcription
        self._ledger = ledger
        self._requests = requests
        self._clock = clock

    async def items(self, client_id: str | None = None) -> list[HeldItem]:
        """Everything that is held, of one clinic or of all, oldest first."""
        found = [item async for item in self._recognitions()]
        found += [item async for item in self._notes()]
        asked = [item for item in found if client_id in (None, item.client_id)]
        return sorted(asked, key=lambda item: (item.since, item.id))

    async def decide(self, item_id: str, decision: Decision, *, by: str) -> HeldItem:
        """Carry out a decision and enter it in the ledger; the call continues or ends by itself.

        Raises NotFoundError when nothing of this id is held (any more), ConflictError when
        somebody else was faster.
        """
        item = await self._held(item_id)
        if item.kind is EffectKind.RECOGNITION:
            await self._decide_payment(item, decision)
        await self._ledger.decide(item.id, decision, by=by)
        _log.info("held work decided", effect_id=item.id, decision=decision.value, by=by)
        call = await self._calls.get(item.call_id)
        if call is not None:
            await self._continue(call, _STEPS[item.kind], decision)
        return item

    async def _held(self, item_id: str) -> HeldItem:
        for item in await self.items():
            if item.id == item_id:
                return item
        raise NotFoundError(
            "Среди ожидающих решения такой работы нет: проверьте номер, возможно, уже решено"
        )

    async def _decide_payment(self, item: HeldItem, decision: Decision) -> None:
        payments = self._transcription.payments
        payment = await payments.get(item.id.rpartition(":")[0])
        enter = payments.allow_repeat if decision is Decision.REPEAT else payments.give_up
        if payment is None or _id(payment) != item.id or not await enter(payment):
            raise ConflictError("Решение уже принято кем-то другим: обновите список")

    async def _continue(self, call: Call, step: Step, decision: Decision) -> None:
        if decision is Decision.REPEAT:
            await self._requests.retry(call)
            return
        before = call.failures.get(step)
        final = Failure(
            code="answer_lost",
            message=_GIVEN_UP[step],
            attempts=before.attempts if before else 1,
            failed_at=self._clock(),
            next_try_at=None,
        )
        await self._calls.change(call.id, {f"failures.{step}": final.model_dump()})

    async def _recognitions(self) -> AsyncIterator[HeldItem]:
        payments = [one async for one in self._transcription.awaiting_decision()]
        lines = await self._ledger.by_ids([_id(payment) for payment in payments])
        for payment in payments:
            line = lines.get(_id(payment))
            yield HeldItem(
                id=_id(payment),
                kind=EffectKind.RECOGNITION,
                client_id=payment.client_id,
                call_id=payment.call_id,
                since=payment.requested_at,
                cost=line.cost if line else Decimal(),
                currency=line.currency if line else "",
                reason=payment.reason or "answer_lost",
            )

    async def _notes(self) -> AsyncIterator[HeldItem]:
        """Notes that may be on the card and could not be looked up until no try was left."""
        for line in await self._ledger.doubtful(EffectKind.CRM_NOTE):
            call = await self._calls.get(line.call_id or "")
            if call is not None and _ended_without_note(call):
                yield _note(line, call)


def _id(payment: Payment) -> str:
    return recognition_effect(payment.id, payment.attempt)


def _ended_without_note(call: Call) -> bool:
    failure = call.failures.get(Step.NOTE)
    return call.crm_note is None and failure is not None and failure.next_try_at is None


def _note(line: Effect, call: Call) -> HeldItem:
    return HeldItem(
        id=line.id,
        kind=line.kind,
        client_id=call.client_id,
        call_id=call.id,
        since=line.requested_at,
        cost=line.cost,
        currency=line.currency,
        reason=line.reason or "answer_lost",
    )
