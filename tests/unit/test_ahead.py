"""The next work goes on while the one before is used; none is left behind."""

import asyncio
from contextlib import aclosing

import pytest

from medai.kit.ahead import one_ahead

PATIENCE_SECONDS = 5.0


class Works:
    """Numbered works that end when their gate opens; each gives its number, a bad one an error."""

    def __init__(self, count: int, bad: int | None = None) -> None:
        self.gates = [asyncio.Event() for _ in range(count)]
        self.begun = [asyncio.Event() for _ in range(count)]
        self.cancelled: list[int] = []
        self._bad = bad

    async def work(self, number: int) -> int:
        self.begun[number].set()
        try:
            await self.gates[number].wait()
        except asyncio.CancelledError:
            self.cancelled.append(number)
            raise
        if number == self._bad:
            raise ValueError(number)
        return number

    def which_began(self) -> list[int]:
        return [number for number, begun in enumerate(self.begun) if begun.is_set()]


async def test_the_next_work_goes_on_while_a_result_is_used() -> None:
    works = Works(3)
    works.gates[0].set()
    async with asyncio.timeout(PATIENCE_SECONDS):
        async with aclosing(one_ahead(works.work(n) for n in range(3))) as results:
            assert await (await anext(results)) == 0
            await works.begun[1].wait()
            assert works.which_began() == [0, 1]
            for gate in works.gates:
                gate.set()
            assert [await result async for result in results] == [1, 2]


async def test_an_error_belongs_to_its_own_work() -> None:
    works = Works(3, bad=1)
    for gate in works.gates:
        gate.set()
    first, second, third = [result async for result in one_ahead(map(works.work, range(3)))]
    assert (await first, await third) == (0, 2)
    with pytest.raises(ValueError, match="1"):
        await second


async def test_who_stops_early_leaves_no_work_behind() -> None:
    works = Works(3)
    works.gates[0].set()
    async with asyncio.timeout(PATIENCE_SECONDS):
        async with aclosing(one_ahead(map(works.work, range(3)))) as results:
            await anext(results)
            await works.begun[1].wait()
    assert works.cancelled == [1]
    assert works.which_began() == [0, 1]


async def test_who_is_cancelled_while_waiting_leaves_no_work_behind() -> None:
    works = Works(2)

    async def use() -> None:
        async with aclosing(one_ahead(map(works.work, range(2)))) as results:
            await anext(results)

    using = asyncio.create_task(use())
    await works.begun[0].wait()
    using.cancel()
    with pytest.raises(asyncio.CancelledError):
        await using
    assert works.cancelled == [0]


async def test_of_no_works_comes_nothing() -> None:
    assert [result async for result in one_ahead(map(Works(0).work, range(0)))] == []
