"""What is known about paying for one recognition: the states of an intent (design 5.6). Pure."""

from datetime import datetime
from enum import StrEnum

from medai.kit.model import Frozen


class PaymentState(StrEnum):
    """`requested`: a paid request may be under way until `lease_until`. `unknown`: its answer was
    lost, so it may have been paid. `done`: the raw answer is stored.
    """

    REQUESTED = "requested"
    UNKNOWN = "unknown"
    DONE = "done"


class Payment(Frozen):
    """One paid work: the same audio (by hash) with the same parameters.

    `attempt` counts paid requests from 1; `possibly_paid_twice` counts those sent although an
    earlier one may have been paid; `extra_repeats` were allowed by a person; `given_up` says that
    a person decided not to pay again. `owner` names the attempt that may finish or withdraw it.
    """

    id: str
    sha256: str
    fingerprint: str
    state: PaymentState
    owner: str
    attempt: int = 1
    possibly_paid_twice: int = 0
    extra_repeats: int = 0
    given_up: bool = False
    seconds: float = 0.0
    call_id: str
    client_id: str
    requested_at: datetime
    lease_until: datetime
    finished_at: datetime | None = None
    reason: str | None = None

    def may_repeat(self, repeats_after_lost_answer: int) -> bool:
        """Whether a lost answer may be asked for once more."""
        if self.given_up:
            return False
        return self.possibly_paid_twice < repeats_after_lost_answer + self.extra_repeats

    def is_held(self, repeats_after_lost_answer: int) -> bool:
        """Whether the work waits for a person's decision."""
        used_up = not self.may_repeat(repeats_after_lost_answer)
        return self.state is PaymentState.UNKNOWN and used_up and not self.given_up

    def is_abandoned(self, now: datetime) -> bool:
        """Whether the process that sent the request can no longer be waiting for its answer."""
        return self.state is PaymentState.REQUESTED and now >= self.lease_until
