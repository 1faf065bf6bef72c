"""What processing needs around the domains: a queue for jobs and a CRM per clinic."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from medai.clinics.models import Clinic
from medai.crm.ports import Crm


class Queue(StrEnum):
    """Queues: each has workers of its own, so that no kind of work waits behind another."""

    SYNC = "sync"
    RECORDINGS = "recordings"
    TRANSCRIPTION = "transcription"
    NOTES = "notes"
    ANALYSIS = "analysis"
    EXPORT = "export"
    REPORTS = "reports"


class Task(StrEnum):
    """Jobs by name. A queue of its own goes to what is capped or must not wait for the rest."""

    SYNC = "sync_clinic"
    LINKS = "repair_links"
    CHECK = "check_crm"
    TOKEN = "keep_token"  # noqa: S105 - a word, not a secret
    FETCH = "fetch_recording"
    TRANSCRIBE = "transcribe_call"
    NOTE = "write_note"
    ANALYSE = "analyse_call"
    EXPORT = "export_clinic"
    EXPORT_RUN = "export_run"
    CONCLUDE = "draw_conclusions"
    ATTRIBUTE = "attribute_again"
    RETENTION = "forget_old"
    REPORT = "make_report"

    @property
    def queue(self) -> Queue:
        """The queue that carries this task (design 5, "few jobs per call")."""
        return {
            Task.SYNC: Queue.SYNC,
            Task.LINKS: Queue.SYNC,
            Task.CHECK: Queue.SYNC,
            Task.TOKEN: Queue.SYNC,
            Task.FETCH: Queue.RECORDINGS,
            Task.TRANSCRIBE: Queue.TRANSCRIPTION,
            Task.NOTE: Queue.NOTES,
            Task.ANALYSE: Queue.ANALYSIS,
            Task.EXPORT: Queue.EXPORT,
            Task.EXPORT_RUN: Queue.EXPORT,
            Task.RETENTION: Queue.EXPORT,
            Task.CONCLUDE: Queue.REPORTS,
            Task.ATTRIBUTE: Queue.REPORTS,
            Task.REPORT: Queue.REPORTS,
        }[self]


@dataclass(frozen=True, slots=True)
class Job:
    """Work to be done later: ids only, so that it always acts on what is stored.

    Two jobs with one `key` are never queued twice; two with one `lock` never run at once.
    Higher `priority` goes first.
    """

    task: Task
    args: dict[str, Any]
    key: str
    lock: str
    priority: int = 0
    at: datetime | None = field(default=None)


class Jobs(Protocol):
    """A durable queue. Raises StoreError."""

    async def defer(self, job: Job) -> bool:
        """Queue a job; False when one with the same key is waiting already."""

    async def defer_many(self, jobs: Sequence[Job]) -> int:
        """Queue jobs in few round trips; returns how many were not waiting already."""

    async def present(self, locks: Sequence[str], now: datetime) -> set[str]:
        """Which of the locks have a job that is under way or may start now."""

    async def busy(self, now: datetime) -> bool:
        """Whether any job is under way or may start now."""


class CrmAccounts(Protocol):
    """Opens the CRM account of a clinic."""

    async def of(self, clinic: Clinic) -> Crm:
        """The account. Raises ProviderStoppedError when the clinic has to authorise again."""

    def reopen(self, client_id: str) -> None:
        """Forget what the account refused: the next request is really sent."""


GiveBack = Callable[[], Awaitable[None]]
"""Frees what is held; twice is once."""


class Slots(Protocol):
    """A number of places that all processes of an installation share."""

    def hold(self, count: int = 1) -> AbstractAsyncContextManager[GiveBack]:
        """Wait for so many places and hold them; freed when the holder dies.

        What is yielded gives them back before the end, once they are not needed any more.
        """


class Locks(Protocol):
    """Mutual exclusion between all processes of an installation."""

    def hold(self, key: str) -> AbstractAsyncContextManager[None]:
        """Wait for the named lock and hold it; freed when the holder dies."""
