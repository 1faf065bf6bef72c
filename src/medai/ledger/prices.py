"""What a request costs. Pure, exact decimals."""

from decimal import ROUND_HALF_EVEN, Decimal

from medai.kit.model import Frozen
from medai.ledger.models import Consumption

COST_STEP = Decimal("0.000000001")
"""Costs are kept to a billionth: one token of the cheapest model is ten of them."""
_SECONDS_PER_HOUR = 3600
_MILLION = 1_000_000


class Prices(Frozen):
    """Prices of the configured models in one currency.

    `speech_hour` is an hour of audio recognised as one stream, with speaker roles;
    `speech_channel_hour` an hour of each channel of a stereo recording, which are billed apart
    (elevenlabs.md 7). Token prices are per million (openai.md 3).
    """

    currency: str
    speech_hour: Decimal
    speech_channel_hour: Decimal
    million_input_tokens: Decimal
    million_cached_tokens: Decimal
    million_output_tokens: Decimal

    def cost(self, used: Consumption) -> Decimal:
        """The price of one request: its audio and its tokens. Notes have neither and are free."""
        return _rounded(self._speech(used) + self._tokens(used))

    def _speech(self, used: Consumption) -> Decimal:
        price = self.speech_channel_hour if used.channels > 1 else self.speech_hour
        return used.seconds * price / _SECONDS_PER_HOUR

    def _tokens(self, used: Consumption) -> Decimal:
        # A server that counts more cached tokens than tokens must not make a request cheaper.
        cached = min(used.cached_tokens, used.input_tokens)
        total = (
            (used.input_tokens - cached) * self.million_input_tokens
            + cached * self.million_cached_tokens
            + used.output_tokens * self.million_output_tokens
        )
        return total / _MILLION


def billed_seconds(seconds: float) -> Decimal:
    """Measured seconds as a decimal of milliseconds."""
    return Decimal(f"{max(seconds, 0.0):.3f}")


def _rounded(cost: Decimal) -> Decimal:
    return cost.quantize(COST_STEP, ROUND_HALF_EVEN)
