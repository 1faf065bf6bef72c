"""A second process of a command, kept alive as long as the command runs."""

import asyncio
import multiprocessing
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from multiprocessing.context import SpawnProcess

import structlog

from medai.bootstrap import Application, open_application
from medai.cli.running import guarded, run_terminable
from medai.infra.interrupts import deaf_children
from medai.infra.logging import configure_from
from medai.settings import Settings

_log = structlog.get_logger(__name__)

_SPAWN = multiprocessing.get_context("spawn")
BEHIND = 5
"""How much further back than the command a process may stand for processor time (nice)."""
_START_AGAIN_SECONDS = 1.0
_PATIENCE_SECONDS = 60.0
"""Twice what workers take to finish what they have begun."""

Work = Callable[[Application], Awaitable[None]]
"""A function of a module: the process finds it by its name."""


async def keep_beside(work: Work, settings: Settings, *, courtesy: int = 0) -> None:
    """Do the work in a process of its own until cancelled; then it may end what it has begun.

    A process that ends by itself or is killed is started again. One whose parent was killed ends.
    """
    while True:
        process = _SPAWN.Process(target=_carry_out, args=(work, settings, courtesy))
        with deaf_children():
            process.start()
        try:
            await _signalled(process.sentinel)
        finally:
            await asyncio.to_thread(_stop, process)
        _log.warning("the process beside ended and is started again", code=process.exitcode)
        await asyncio.sleep(_START_AGAIN_SECONDS)


async def _signalled(descriptor: int) -> None:
    """Return once the descriptor can be read: its process has ended."""
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)


def _stop(process: SpawnProcess) -> None:
    process.terminate()
    process.join(_PATIENCE_SECONDS)
    process.kill()
    process.join()


def _carry_out(work: Work, settings: Settings, courtesy: int) -> None:
    os.nice(courtesy)
    configure_from(settings)
    guarded(lambda: _until_stopped(work, settings))


def _until_stopped(work: Work, settings: Settings) -> None:
    with suppress(asyncio.CancelledError):  # its parent tells the person
        run_terminable(lambda: _until_orphaned(work, settings))


async def _until_orphaned(work: Work, settings: Settings) -> None:
    parent = multiprocessing.parent_process()
    if parent is None:
        raise RuntimeError("this is no process beside another")
    async with open_application(settings) as application:
        working = asyncio.ensure_future(work(application))
        alone = asyncio.create_task(_signalled(parent.sentinel))
        try:
            await asyncio.wait({working, alone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            alone.cancel()
            working.cancel()
            await asyncio.wait({working, alone})
        if not working.cancelled():
            working.result()
