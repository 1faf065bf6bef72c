"""How many requests and tokens a minute all processes together may spend at one provider."""

from medai.infra.rate_limit import RateLimiter


class RequestBudget:
    """Two limiters behind one name: one counts requests, the other what they weigh in tokens."""

    def __init__(self, name: str, requests: RateLimiter, tokens: RateLimiter) -> None:
        self._name = name
        self._requests = requests
        self._tokens = tokens

    async def take(self, tokens: int) -> None:
        """Wait for the turn of a request of about so many tokens. Raises StoreError."""
        await self._requests.wait(f"{self._name}:requests")
        await self._tokens.wait(f"{self._name}:tokens", float(tokens))

    async def hold_back(self, seconds: float) -> None:
        """The provider asked for a pause: nobody's turn comes before its end. Raises StoreError."""
        await self._requests.hold_back(f"{self._name}:requests", seconds)
