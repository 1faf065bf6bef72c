"""What those who send paid or posting requests need of the ledger."""

from typing import Protocol

from medai.ledger.models import Intent, Outcome


class Effects(Protocol):
    """The book every such request goes through. Raises StoreError; then nothing may be sent."""

    async def begin(self, intent: Intent) -> str:
        """Enter the intent, committed when this returns; the id to finish it by.

        An entry of this id that failed is taken up again. One that is done or unknown is never
        overwritten: the request gets an entry beside it.
        """

    async def finish(self, effect_id: str, outcome: Outcome) -> None:
        """Enter the outcome. Repeating it changes nothing, and nothing changes what is done."""
