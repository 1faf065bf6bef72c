"""What is done to an installation, spread over the life of its work rather than over time."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.fleet import Member, until
from tests.chaos.site import Site

from medai.processing.requests import Progress

Deed = Callable[[Site, random.Random], str]
"""Does something bad; returns its name for the totals."""

_STEPS_OF_A_CALL = 3
"""At least: one recognition, one note, one answer of the model."""
LAST = 0.97
"""Share of the steps after which nothing bad happens any more."""
EARLY = 0.3
"""For what is followed by a minute's wait: the day is over soon after the last such deed."""
_BUSY_SECONDS = 1.0
_LOOK_SECONDS = 0.5
WORKERS = 3


@dataclass(slots=True)
class Attack:
    """Deeds with the number of done steps at which each happens, and what was done."""

    seed: int
    plan: list[tuple[int, Deed]]
    patience_seconds: float
    done: Counter[str] = field(default_factory=Counter)
    met_at_work: int = 0
    """Kills that met requests under way."""
    seconds: float = 0.0
    progress: Progress = field(default_factory=Progress)


def planned(
    seed: int, calls: int, deeds: Iterable[tuple[Deed, float]], *, patience_seconds: float
) -> Attack:
    """An attack on the work on so many calls.

    Each deed comes at a random moment before its share of the steps is done.
    """
    rng, steps = random.Random(seed), calls * _STEPS_OF_A_CALL
    plan = [(rng.randrange(int(steps * latest)), deed) for deed, latest in deeds]
    return Attack(seed, sorted(plan, key=lambda item: item[0]), patience_seconds)


def kill(site: Site, rng: random.Random) -> str:
    """SIGKILL of a process, of one that waits for a provider if there is any."""
    deadline = time.monotonic() + _BUSY_SECONDS
    until(lambda: _busy(site) or time.monotonic() > deadline, 2 * _BUSY_SECONDS, "no moment")
    busy = _busy(site)
    site.fleet.kill(rng.choice(busy or site.fleet.members))
    return "kill of a worker at work" if busy else "kill of an idle worker"


def crash_postgres(site: Site, _: random.Random) -> str:
    """Immediate stop of PostgreSQL and a start at once."""
    site.postgres.crash()
    return "crash of PostgreSQL"


def fault(target: str, kind: str, **order: Any) -> Deed:
    """A deed: the provider misbehaves with its next request."""

    def scripted(site: Site, _: random.Random) -> str:
        site.control.fail(target, kind, **order)
        return f"{target}: {kind}"

    return scripted


def carry_out(site: Site, attack: Attack) -> None:
    """Start the fleet, do every deed when its time has come, wait until all calls are final.

    Raises TimeoutError when the work stands still.
    """
    rng, began = random.Random(attack.seed), time.monotonic()
    for _ in range(WORKERS):
        site.fleet.start("worker")
    for steps, deed in attack.plan:
        _await_steps(site, steps, attack.patience_seconds)
        attack.done[deed(site, rng)] += 1
    attack.progress = asyncio.run(_all_final(site, attack.patience_seconds))
    attack.seconds = time.monotonic() - began


def _await_steps(site: Site, steps: int, seconds: float) -> None:
    def reached() -> bool:
        site.fleet.look_after()
        return site.steps_done() >= steps

    until(reached, seconds, f"no progress at step {site.steps_done()} of {steps}")


async def _all_final(site: Site, seconds: float) -> Progress:
    """Where the calls stand when nothing more happens to any of them, or when time is over."""
    deadline = time.monotonic() + seconds
    async with site.application() as application:
        while True:
            site.fleet.look_after()
            progress = Progress()
            for client_id in site.client_ids:
                progress.join(await application.requests.progress(client_id, site.days))
            if progress.settled == progress.total or time.monotonic() > deadline:
                return progress
            await asyncio.sleep(_LOOK_SECONDS)


def _busy(site: Site) -> list[Member]:
    return [one for one in site.fleet.members if site.journal.under_way(one.number)]
