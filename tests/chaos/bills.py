"""Our ledger of effects beside the providers' bills: every request of theirs is a line of ours."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from tests.chaos.site import Site

from medai.bootstrap import Application
from medai.ledger.models import EffectKind, EffectState, recognition_effect
from medai.transcription.ledger import Payment

_LINES = "SELECT id, kind, state FROM ledger.effects ORDER BY requested_at, id"


@dataclass(frozen=True, slots=True)
class Lines:
    """States of the lines: of all by id, and how many of each kind are in each state."""

    states: dict[str, EffectState]
    counts: dict[EffectKind, Counter[EffectState]]


async def lines_of(application: Application) -> Lines:
    """Every line of the ledger."""
    counts: dict[EffectKind, Counter[EffectState]] = defaultdict(Counter)
    states = {}
    async with application.pool.connection() as connection:
        for effect_id, kind, state in await (await connection.execute(_LINES)).fetchall():
            states[effect_id] = EffectState(state)
            counts[EffectKind(kind)][EffectState(state)] += 1
    return Lines(states, counts)


async def differs_from_bill(
    application: Application, site: Site, payments: list[Payment]
) -> AsyncIterator[str]:
    """Where the bill and the ledger cannot both be right: done <= billed <= done + unknown.

    To be asked after the sweep that follows the last lease.
    """
    lines, bill = await lines_of(application), site.control.bill()
    billed = {
        EffectKind.RECOGNITION: bill["stt_paid"],
        EffectKind.CRM_NOTE: bill["notes"],
        EffectKind.LANGUAGE_MODEL: bill["llm_requests"],
    }
    for kind, times in billed.items():
        states = lines.counts[kind]
        if not _agree(times, states) or states[EffectState.REQUESTED]:
            yield f"{kind}: billed {times}, our lines {dict(states)}"
    for line in _recognitions(site, payments, lines.states):
        yield line


def _recognitions(
    site: Site, payments: list[Payment], states: dict[str, EffectState]
) -> Iterator[str]:
    """The same audio by audio; who is listed as possibly paid twice had an answer lost."""
    paid = site.ledger.stt_paid()
    for payment in payments:
        ids = [recognition_effect(payment.id, number + 1) for number in range(payment.attempt)]
        own = [states.get(effect_id) for effect_id in ids]
        if not _agree(paid[payment.sha256], Counter(own)):
            yield f"audio {payment.sha256[:8]}: paid {paid[payment.sha256]}, our lines {own}"
        # None: killed between the payment's intent and the line.
        if any(state not in (None, EffectState.UNKNOWN) for state in own[:-1]):
            yield f"audio {payment.sha256[:8]} was repeated without a doubt: {own}"


def _agree(billed: int, states: Counter[EffectState] | Counter[EffectState | None]) -> bool:
    done = states[EffectState.DONE]
    return done <= billed <= done + states[EffectState.UNKNOWN]
