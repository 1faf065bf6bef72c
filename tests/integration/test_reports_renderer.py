"""The rendering process: the loop stays free, processes are replaced, death is survived."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from tests.fixtures.command_line import SOURCES
from tests.fixtures.report_calls import content_of, many_calls, people_of_calls

from medai.reports.errors import ReportRenderingError
from medai.reports.excel import render_excel, render_packed_excel
from medai.reports.models import Chart, ReportContent
from medai.reports.packing import packed
from medai.reports.pdf import render_chart, render_pdf, render_people
from medai.reports.renderer import ReportRenderer


def _worker_of(renderer: ReportRenderer) -> int:
    pool = renderer._pool
    assert pool is not None
    (pid,) = pool._processes
    return pid


async def _until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while True:
            if met():
                return
            await asyncio.sleep(0.001)


@pytest.fixture(scope="module")
def content() -> ReportContent:
    return content_of(many_calls(10))


async def test_both_files_equal_those_rendered_here(content: ReportContent) -> None:
    async with ReportRenderer() as renderer:
        pdf, excel = await asyncio.gather(renderer.pdf(content), renderer.excel(content))
    assert pdf == render_pdf(content)
    assert excel == render_excel(content)


async def test_people_and_charts_are_rendered_there_too(content: ReportContent) -> None:
    people = people_of_calls(many_calls(10))
    async with ReportRenderer() as renderer:
        assert await renderer.people(people) == render_people(people)
        assert await renderer.chart(content, Chart.HEAT) == render_chart(content, Chart.HEAT)


def test_a_packed_report_is_written_as_the_report_itself() -> None:
    content = content_of(many_calls(1300, administrators=["Анна", "Борис"]))
    report = packed(content)
    assert len(report.pieces) > 2
    assert report.frame.advice == ()
    assert render_packed_excel(report) == render_excel(content)


async def test_the_event_loop_runs_on_while_a_report_is_made(content: ReportContent) -> None:
    async with ReportRenderer() as renderer:
        report = asyncio.create_task(renderer.pdf(content))
        turns = 0
        while not report.done():
            await asyncio.sleep(0.001)
            turns += 1
    assert turns > 50  # a process start alone takes hundreds of milliseconds


async def test_more_reports_than_one_process_makes_all_arrive(content: ReportContent) -> None:
    """The executor's own recycling hangs here (see ReportRenderer)."""
    seen = set()
    async with ReportRenderer() as renderer, asyncio.timeout(60):
        for _ in range(2):
            made = await asyncio.gather(*(renderer.excel(content) for _ in range(5)))
            assert len(set(made)) == 1
            seen.add(_worker_of(renderer))
    assert len(seen) == 2


async def test_ctrl_c_of_a_terminal_leaves_the_process_to_its_parent(
    content: ReportContent,
) -> None:
    async with ReportRenderer() as renderer:
        first = await renderer.excel(content)
        worker = _worker_of(renderer)
        os.kill(worker, signal.SIGINT)
        assert await renderer.excel(content) == first
        assert _worker_of(renderer) == worker


async def test_a_process_that_made_a_big_report_is_let_go() -> None:
    big = content_of(many_calls(2000))
    async with ReportRenderer() as renderer:
        await renderer.excel(big)
        assert renderer._pool is None
        assert (await renderer.excel(big)).startswith(b"PK")


async def test_a_dead_process_fails_its_report_and_the_next_one_works(
    content: ReportContent,
) -> None:
    async with ReportRenderer() as renderer:
        await renderer.excel(content)
        os.kill(_worker_of(renderer), signal.SIGSTOP)  # so that it dies before it has answered
        report = asyncio.create_task(renderer.excel(content))
        await _until(lambda: renderer._reports == 2)
        os.kill(_worker_of(renderer), signal.SIGKILL)
        with pytest.raises(ReportRenderingError, match="повторите"):
            await report
        assert (await renderer.excel(content)).startswith(b"PK")


async def test_a_process_that_died_between_two_reports_is_replaced(content: ReportContent) -> None:
    async with ReportRenderer() as renderer:
        first = await renderer.excel(content)
        pool = renderer._pool
        assert pool is not None
        os.kill(_worker_of(renderer), signal.SIGKILL)
        await _until(lambda: bool(pool._broken))
        assert await renderer.excel(content) == first


async def test_a_hung_process_is_given_up(content: ReportContent) -> None:
    async with ReportRenderer(patience_seconds=0.5) as renderer:
        await asyncio.wait_for(_first_answer(renderer, content), 30)
        pid = _worker_of(renderer)
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(ReportRenderingError, match="остановился"):
            await renderer.excel(content)
        assert (await asyncio.wait_for(_first_answer(renderer, content), 30)).startswith(b"PK")
        assert _worker_of(renderer) != pid


async def test_a_report_nobody_waits_for_holds_up_no_other(content: ReportContent) -> None:
    async with ReportRenderer() as renderer:
        first = await renderer.excel(content)
        worker = _worker_of(renderer)
        os.kill(worker, signal.SIGSTOP)  # the abandoned report never ends
        try:
            report = asyncio.create_task(renderer.excel(content))
            await _until(lambda: renderer._reports == 2)
            report.cancel()
            with pytest.raises(asyncio.CancelledError):
                await report
            assert await asyncio.wait_for(renderer.excel(content), 30) == first
        finally:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)


async def test_closing_twice_is_harmless(content: ReportContent) -> None:
    renderer = ReportRenderer()
    await renderer.close()
    await renderer.excel(content)
    await renderer.close()
    await renderer.close()


async def _first_answer(renderer: ReportRenderer, content: ReportContent) -> bytes:
    """The first report of a new process, which may start slower than the test's patience."""
    patience, renderer._patience = renderer._patience, 30.0
    try:
        return await renderer.excel(content)
    finally:
        renderer._patience = patience


_KILLED = """
import os, signal
from medai.reports.renderer import ReportRenderer
if __name__ == "__main__":
    print(ReportRenderer()._worker().submit(os.getpid).result(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


async def test_the_process_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "killed.py"
    script.write_text(_KILLED)
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, str(script)),
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    try:
        async with asyncio.timeout(10):
            await parent.stdout.read()  # its end: nobody is left who could write
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
