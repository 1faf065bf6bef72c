"""What is forgotten with time: ended jobs and runs, leftovers; recordings and reports if asked."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from medai.access.audit import AccessLog
from medai.calls.repository import CallRepository
from medai.infra.files import Files
from medai.infra.jobs import forget_ended
from medai.infra.postgres import Pool
from medai.kit.clock import Clock
from medai.processing.runs import Runs

_LEFTOVER_AGE = timedelta(days=1)
"""No recognition lasts so long: whoever took this room is dead."""
_REPORTS, _AUDIO, _ANSWERS = "reports", "audio", "recognitions"
_ROOM = ".room"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class KeepDays:
    """How many days things are kept; 0 is for ever."""

    jobs: int
    runs: int
    audio: int
    reports: int
    access_log: int


class Retention:
    """Forgets what is old enough. Raises StoreError."""

    def __init__(
        self,
        keep: KeepDays,
        *,
        pool: Pool,
        runs: Runs,
        files: Files,
        calls: CallRepository,
        access_log: AccessLog,
        clock: Clock,
    ) -> None:
        self._keep = keep
        self._pool = pool
        self._runs = runs
        self._files = files
        self._calls = calls
        self._access_log = access_log
        self._clock = clock

    async def forget(self) -> dict[str, int]:
        """Do it; returns how much of each kind was forgotten."""
        forgotten = {"leftovers": await self._leftovers(self._clock() - _LEFTOVER_AGE)}
        if before := self._before(self._keep.jobs):
            forgotten["jobs"] = await forget_ended(self._pool, before)
        if before := self._before(self._keep.runs):
            forgotten["runs"] = await self._runs.forget(before)
        if before := self._before(self._keep.access_log):
            forgotten["access_log"] = await self._access_log.forget(before)
        if before := self._before(self._keep.reports):
            forgotten["reports"] = await self._files_of(_REPORTS, before)
        if before := self._before(self._keep.audio):
            forgotten["audio"] = await self._audio(before)
        _log.info("old things forgotten", **forgotten)
        return forgotten

    def _before(self, days: int) -> datetime | None:
        return self._clock() - timedelta(days=days) if days else None

    async def _leftovers(self, before: datetime) -> int:
        return await self._files_of(_ANSWERS, before, ending=_ROOM)

    async def _files_of(self, folder: str, before: datetime, *, ending: str = "") -> int:
        names = await self._older(folder, before)
        chosen = [name for name in names if name.endswith(ending)]
        for name in chosen:
            await self._files.delete(name)
        return len(chosen)

    async def _audio(self, before: datetime) -> int:
        """Recordings of transcribed calls; one that may still be needed is never touched."""
        forgotten = 0
        for name in await self._older(_AUDIO, before):
            call = await self._calls.with_audio(name.rpartition("/")[2])
            if call is not None and call.transcript is not None:
                await self._files.delete(name)
                forgotten += 1
        return forgotten

    async def _older(self, folder: str, before: datetime) -> list[str]:
        return [name async for name, at in self._files.names(folder) if at < before]
