"""Slots of the whole fleet: never more than there are, none lost, a dead process frees its own."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from medai.infra.postgres import Pool
from medai.infra.slots import FleetSlots

SIZE = 3


@pytest.fixture
async def fleet(pool: Pool) -> AsyncIterator[list[FleetSlots]]:
    """Four processes' views of the same three slots."""
    views = [FleetSlots(pool, "stt", lambda: SIZE) for _ in range(4)]
    yield views
    for view in views:
        await view.close()


class Counter:
    """How many hold slots now, and the most there ever were."""

    def __init__(self) -> None:
        self.now = 0
        self.most = 0

    async def work(self, view: FleetSlots, count: int = 1) -> None:
        async with view.hold(count):
            self.now += count
            self.most = max(self.most, self.now)
            for _ in range(3):
                await asyncio.sleep(0)
            self.now -= count


async def _free(pool: Pool) -> int:
    """How many slots can be taken at this moment."""
    other = FleetSlots(pool, "stt", lambda: SIZE)
    async with AsyncExitStack() as held:
        held.push_async_callback(other.close)
        taken = 0
        for _ in range(SIZE):
            try:
                async with asyncio.timeout(0.3):
                    await held.enter_async_context(other.hold())
            except TimeoutError:
                break
            taken += 1
        return taken


async def test_never_more_than_there_are(fleet: list[FleetSlots], pool: Pool) -> None:
    counter = Counter()
    await asyncio.gather(*(counter.work(view) for view in fleet for _ in range(25)))
    assert counter.most == SIZE
    assert await _free(pool) == SIZE


async def test_long_work_takes_several(fleet: list[FleetSlots], pool: Pool) -> None:
    counter = Counter()
    wanted = [1, 2, 3, 9]  # nine is more than there are: all of them are taken then
    counts = [min(count, SIZE) for count in wanted]
    await asyncio.gather(
        *(counter.work(view, count) for view in fleet for count in counts for _ in range(3))
    )
    assert counter.most == SIZE
    assert await _free(pool) == SIZE


async def test_a_cancelled_waiter_loses_no_slot(fleet: list[FleetSlots], pool: Pool) -> None:
    counter = Counter()
    tasks = [asyncio.create_task(counter.work(view, 2)) for view in fleet for _ in range(10)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
        await asyncio.sleep(0)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await _free(pool) == SIZE


async def test_a_slot_given_back_early_is_the_next_ones_and_stays_so(pool: Pool) -> None:
    views = [FleetSlots(pool, "stt", lambda: 1) for _ in range(2)]
    for first, second in ((views[0], views[0]), (views[0], views[1])):
        async with asyncio.timeout(10), AsyncExitStack() as later:
            async with first.hold() as give_back:
                waiter = asyncio.create_task(later.enter_async_context(second.hold()))
                await give_back()
                await waiter
            # The end of the first gives nothing back a second time.
            third = FleetSlots(pool, "stt", lambda: 1)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3), third.hold():
                    pass
            await third.close()
    for view in views:
        await view.close()


async def test_a_changed_size_counts_at_the_next_look(pool: Pool) -> None:
    sizes = [1]
    view = FleetSlots(pool, "stt", lambda: sizes[0])
    async with view.hold():
        waiter = asyncio.create_task(_held(view))
        await asyncio.sleep(0)
        assert not waiter.done()
        sizes[0] = 2
        async with asyncio.timeout(5):
            await waiter
    await view.close()


async def _held(view: FleetSlots) -> None:
    async with view.hold():
        return


_HOLDER = """
import asyncio, sys
from medai.infra.postgres import open_pool
from medai.infra.slots import FleetSlots

async def main():
    pool = await open_pool(sys.argv[1])
    async with FleetSlots(pool, "stt", lambda: 3).hold(3):
        print("held", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_a_killed_process_frees_its_slots(postgres_dsn: str, pool: Pool) -> None:
    process = subprocess.Popen(  # noqa: S603, ASYNC220 - our own words; it answers at once
        [sys.executable, "-c", _HOLDER, postgres_dsn],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": "src", "PATH": ""},
    )
    assert process.stdout is not None
    assert await asyncio.to_thread(process.stdout.readline) == b"held\n"
    assert await _free(pool) == 0
    process.kill()
    await asyncio.to_thread(process.wait)
    process.stdout.close()
    view = FleetSlots(pool, "stt", lambda: SIZE)
    async with asyncio.timeout(10), view.hold(SIZE):
        pass
    await view.close()
