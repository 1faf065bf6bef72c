"""One recording to recognise, and what its recognition is billed for. Pure."""

from dataclasses import dataclass

from medai.ledger.models import Consumption
from medai.ledger.prices import billed_seconds
from medai.transcription.models import Recognition


@dataclass(frozen=True, slots=True)
class Work:
    """One recording to recognise. `seconds` is its measured length; two channels go apart."""

    audio: bytes
    filename: str
    seconds: float
    channels: int
    call_id: str
    client_id: str

    @property
    def expected(self) -> Consumption:
        """What its recognition is billed for, as measured by us."""
        billed = billed_seconds(self.seconds * self.channels)
        return Consumption(seconds=billed, channels=self.channels)

    def billed(self, answer: Recognition) -> Consumption:
        """What its recognition was billed for, as the provider says."""
        if not answer.seconds:
            return self.expected
        return Consumption(seconds=billed_seconds(answer.seconds), channels=self.channels)
