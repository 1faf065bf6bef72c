"""The rendering process's bond to its parent. Imports little: the process pays for what it uses."""

import os
from multiprocessing import parent_process
from threading import Thread


def end_with_parent() -> None:
    """Whoever waits for tasks holds both ends of their pipe and never sees the parent killed."""
    Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    if parent := parent_process():
        parent.join()
        os._exit(1)
