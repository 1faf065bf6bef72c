"""What quotas need from the rest of the product."""

from typing import Protocol


class WaitingCalls(Protocol):
    """Calls that wait for minutes; `medai.processing.requests.WorkRequests` fits as it is."""

    async def wake_quota(self, client_id: str) -> int:
        """Make the clinic's calls that wait for minutes due at once; returns how many.

        Raises StoreError.
        """
