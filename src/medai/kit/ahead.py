"""Works in a row, of which the next one goes on while the one before is used."""

import asyncio
from asyncio import Task
from collections.abc import AsyncGenerator, Coroutine, Iterable
from typing import Any, TypeVar

Result = TypeVar("Result")


async def one_ahead(
    works: Iterable[Coroutine[Any, Any, Result]],
) -> AsyncGenerator[Task[Result], None]:
    """The ended task of each work, in order: awaiting it gives the result or raises the error.

    A work begins when the one before has ended, and goes on while that one's result is used. Who
    stops early closes the generator (`contextlib.aclosing`): the work under way is cancelled, and
    has ended then.
    """
    under_way: Task[Result] | None = None
    try:
        for work in works:
            ended, under_way = under_way, asyncio.create_task(work)
            if ended:
                yield ended
            await asyncio.wait([under_way])
        if under_way:
            yield under_way
    finally:
        if under_way:
            under_way.cancel()
            await asyncio.gather(under_way, return_exceptions=True)
