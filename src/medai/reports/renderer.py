"""Rendering in another process, so that the event loop never waits for a report."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from types import TracebackType
from typing import Self

from medai.infra.interrupts import deaf_children
from medai.reports.child import end_with_parent
from medai.reports.drawing import drawn
from medai.reports.errors import ReportRenderingError
from medai.reports.excel import render_packed_excel
from medai.reports.models import Chart, ReportContent
from medai.reports.packing import packed
from medai.reports.pdf import chart_printout, people_printout, report_printout
from medai.reports.people.models import PeopleContent

_REPORTS_PER_PROCESS = 4
_CALLS_PER_PROCESS = 2000
"""Typst never empties its cache (reports-and-ui.md 1). Measured here: 202 MB after one report of
1,000 calls, 320 MB after one of 5,000, of which it prints 2,000."""
_PATIENCE_SECONDS = 300.0
"""A hundred times the 1,000-call report; longer means a hung process."""


class ReportRenderer:
    """One spawned worker process, replaced after every few reports and whenever it dies.

    Content is formatted here, in a thread, and sent as bytes: whole contents would be pickled
    while the interpreter is held, a second for 50,000 calls of which 2,000 are printed.

    The executor's own `max_tasks_per_child` is not used: with more than one task queued it never
    starts the next process and hangs (seen on 3.11: 12 tasks, 4 per child, 8 never ran).
    """

    def __init__(self, *, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        self._patience = patience_seconds
        self._pool: ProcessPoolExecutor | None = None
        self._reports = 0
        self._calls = 0
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def pdf(self, content: ReportContent) -> bytes:
        """The report as PDF. Raises ReportRenderingError."""
        printout = await asyncio.to_thread(report_printout, content)
        return await self._render(partial(drawn, printout), content.current.calls)

    async def excel(self, content: ReportContent) -> bytes:
        """The report as xlsx. Raises ReportRenderingError."""
        report = await asyncio.to_thread(packed, content)
        return await self._render(partial(render_packed_excel, report), content.current.calls)

    async def people(self, content: PeopleContent) -> bytes:
        """The report of administrators as PDF. Raises ReportRenderingError."""
        printout = await asyncio.to_thread(people_printout, content)
        return await self._render(partial(drawn, printout), len(content.profiles))

    async def chart(self, content: ReportContent, chart: Chart) -> bytes:
        """One chart as PNG. Raises ReportRenderingError."""
        plain = replace(content, advice=(), common_advice=())
        printout = await asyncio.to_thread(chart_printout, plain, chart)
        return await self._render(partial(drawn, printout), 0)

    async def close(self) -> None:
        """End the worker process after the report it may be making. May be called twice."""
        async with self._turn:
            pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(pool.shutdown, wait=True, cancel_futures=True)

    async def _render(self, render: Callable[[], bytes], weight: int) -> bytes:
        """`weight` is how many calls or people are printed one by one."""
        async with self._turn:  # one at a time: memory is what a report costs
            future = self._submitted(render)
            self._reports += 1
            self._calls += weight
            try:
                async with asyncio.timeout(self._patience):
                    return await asyncio.wrap_future(future)
            except (BrokenProcessPool, TimeoutError) as error:
                self._abandon()
                raise ReportRenderingError(
                    "Отчёт не построен: процесс печати остановился; "
                    "повторите или возьмите период короче"
                ) from error
            except asyncio.CancelledError:
                self._abandon()  # nobody waits for it, and the next one shall not wait behind it
                raise
            finally:
                self._replace_if_spent()

    def _submitted(self, render: Callable[[], bytes]) -> "Future[bytes]":
        with deaf_children():  # the pool starts its process with its first task
            try:
                return self._worker().submit(render)
            except BrokenProcessPool:
                # It died between two reports (the system needed its memory): nobody need know.
                self._abandon()
                return self._worker().submit(render)

    def _worker(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                1, mp_context=get_context("spawn"), initializer=end_with_parent
            )
            self._reports = self._calls = 0
        return self._pool

    def _replace_if_spent(self) -> None:
        """Let a process go that has done its share; its memory returns to the system at once."""
        spent = self._reports >= _REPORTS_PER_PROCESS or self._calls >= _CALLS_PER_PROCESS
        if spent and self._pool is not None:
            self._pool.shutdown(wait=False)
            self._pool = None

    def _abandon(self) -> None:
        """Give up the pool with its process, which may be dead or hung."""
        pool, self._pool = self._pool, None
        if pool is not None:
            for process in list((pool._processes or {}).values()):
                process.kill()
            pool.shutdown(wait=False, cancel_futures=True)
