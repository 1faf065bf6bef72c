"""Minutes that a call holds although nobody works on it: its worker died in between."""

from collections.abc import Sequence
from datetime import datetime

import structlog

from medai.calls.life import due_steps
from medai.calls.models import Step
from medai.calls.repository import CallRepository
from medai.kit.clock import Clock
from medai.limits.service import LimitService

_log = structlog.get_logger(__name__)


class AbandonedMinutes:
    """Gives such minutes back to the clinic. For a sweep that runs every hour or oftener."""

    def __init__(self, calls: CallRepository, limits: LimitService, clock: Clock) -> None:
        self._calls = calls
        self._limits = limits
        self._clock = clock

    async def free(self) -> int:
        """Free what calls have held for an hour without a recognition that is due.

        A call that is due keeps its minutes: its job is under way or will be queued again.
        Returns how many calls held something. Raises StoreError.
        """
        freed = await self._limits.free_abandoned(self._not_due)
        if freed:
            _log.warning("minutes held by dead workers freed", calls=freed)
        return freed

    async def _not_due(self, call_ids: Sequence[str]) -> list[str]:
        now = self._clock()
        return [call_id for call_id in call_ids if not await self._is_due(call_id, now)]

    async def _is_due(self, call_id: str, now: datetime) -> bool:
        call = await self._calls.get(call_id)
        return call is not None and Step.TRANSCRIPTION in due_steps(call, now)
