"""What a failure says about a request: certainly not carried out, or nobody knows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from medai.errors import AnswerLostError, MedaiError, NoAnswerError, ProviderAnswerError, StoreError
from medai.ledger.models import EffectState, Intent, Outcome
from medai.ledger.ports import Effects

_log = structlog.get_logger(__name__)

POSSIBLY_CARRIED_OUT = (AnswerLostError, NoAnswerError, ProviderAnswerError)
"""No answer, or one that cannot be read: the provider may have worked, and bills its work."""


def outcome_of(error: MedaiError) -> Outcome:
    """The outcome of a request that ended with this error."""
    lost = isinstance(error, POSSIBLY_CARRIED_OUT)
    state = EffectState.UNKNOWN if lost else EffectState.FAILED
    return Outcome(state=state, reason=error.code, provider_ref=getattr(error, "request_id", None))


@asynccontextmanager
async def entered(effects: Effects, intent: Intent) -> AsyncIterator[str]:
    """Enter a request around its sending; a failure becomes its outcome, a success is the caller's.

    What ends without a word (a cancellation, a defect of ours, a killed process) stays
    `requested` and turns `unknown` when its lease ends.
    """
    effect_id = await effects.begin(intent)
    try:
        yield effect_id
    except MedaiError as error:
        await _entered_too(effects, effect_id, outcome_of(error))
        raise


async def _entered_too(effects: Effects, effect_id: str, outcome: Outcome) -> None:
    """Enter the outcome of a failure without hiding the failure itself behind the store's."""
    try:
        await effects.finish(effect_id, outcome)
    except StoreError:
        _log.warning("outcome of a request was not entered: it will count as unknown")
