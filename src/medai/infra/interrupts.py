"""Ctrl+C, which a terminal sends to every process of a command."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker


@contextmanager
def deaf_children() -> Iterator[None]:
    """Processes that this thread starts meanwhile never see Ctrl+C: their parent decides.

    A handler of their own would come too late: they could be interrupted while they still import.
    An interruption of this process is only delayed to the end of the block.
    """
    # Started inside, with the first process of all, the tracker would take our block away.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
