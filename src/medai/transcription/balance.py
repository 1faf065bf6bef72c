"""What is left on the speech-to-text account, in the forms old clients read (contract 1.5)."""

from dataclasses import dataclass

from medai.integrations.elevenlabs.client import ElevenLabsClient
from medai.integrations.elevenlabs.models import Subscription

SHOWN_CREDITS = 500_000
"""Old clients divide by it whatever the plan is (contract 1.5)."""
SHOWN_MINUTES = 18_000
"""The minutes that they take so many credits for: 300 hours (contract 5.6)."""


@dataclass(frozen=True, slots=True)
class SpeechBalance:
    """The plan as the provider tells it, and what is left of it.

    `credits_left` and `used_percent` follow the plan's own size; the `shown_*` ones the fixed size
    that old clients know.
    """

    plan: Subscription

    @property
    def credits_left(self) -> int:
        """Credits of the real plan; never below zero."""
        return max(0, self.plan.character_limit - self.plan.character_count)

    @property
    def used_percent(self) -> float:
        """Share of the real plan, 2 decimals; a plan of nothing is spent."""
        if self.plan.character_limit <= 0:
            return 100.0
        return round(self.plan.character_count * 100 / self.plan.character_limit, 2)

    @property
    def shown_credits_left(self) -> int:
        """Credits of the size that old clients know."""
        return max(0, SHOWN_CREDITS - self.plan.character_count)

    @property
    def shown_minutes_left(self) -> float:
        """The same in minutes, 2 decimals."""
        return round(SHOWN_MINUTES * self.shown_credits_left / SHOWN_CREDITS, 2)


class SpeechAccount:
    """Asks the provider; costs nothing."""

    def __init__(self, client: ElevenLabsClient) -> None:
        self._client = client

    async def balance(self) -> SpeechBalance:
        """The balance at this moment. Raises SettingsError without a key, ProviderErrors."""
        return SpeechBalance(await self._client.subscription())
