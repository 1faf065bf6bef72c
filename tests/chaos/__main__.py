"""`make chaos`: days of work under attack for CHAOS_MINUTES, totals as a table at the end.

Ends with 1 when a promise was broken. Each day has the seed that is printed for it.
"""

import asyncio
import os
import random
import secrets
import shutil
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table
from tests.chaos.attack import LAST, Deed, carry_out, crash_postgres, fault, kill, planned
from tests.chaos.postgres import CrashingPostgres
from tests.chaos.promises import Verdict, judged
from tests.chaos.site import Site, open_site
from tests.chaos.world import day_of_calls
from tests.fixtures.sandbox import DAY

from medai.infra.logging import configure_logging

_MINUTES = 10.0
_CALLS = 100
_CLINICS = 2
_KILLS = 10
_FAULTS = 15
_PATIENCE_SECONDS = 900.0
_ANY = ("server_error", "gateway_html", "reset", "reset_after_commit", "rate_limit_json")
_KINDS = {
    "elevenlabs": (*_ANY, "rate_limit_html", "timeout", "concurrent_limit", "invalid_json"),
    "openai": (*_ANY, "rate_limit_html", "timeout", "invalid_json", "rate_limit_plain"),
    "amocrm": _ANY,
    "recordings": ("server_error", "reset"),
}
"""After all of these a call has to reach its end by itself, with the same numbers. Not after
`late_link`: the day is days ago, and a file that is not there by then is rightly given up."""


def main() -> int:
    """Attack day after day until the time is over; the exit code."""
    configure_logging(level="ERROR", json_lines=True)  # what is seen are the totals
    console, began = Console(), time.monotonic()
    minutes = float(os.environ.get("CHAOS_MINUTES") or _MINUTES)
    totals, broken, days = Counter[str](), list[str](), 0
    while time.monotonic() - began < minutes * 60:
        seed = secrets.randbelow(10_000)
        deeds, verdict = _day(seed)
        days += 1
        totals.update(deeds)
        totals.update(verdict.totals)
        broken += [f"seed {seed}: {line}" for line in verdict.broken]
        console.print(f"day {days}, seed {seed}: {len(verdict.broken)} promises broken")
    table = Table(
        "What", "Times", title=f"{days} days in {(time.monotonic() - began) / 60:.1f} min"
    )
    for name, count in totals.items():
        table.add_row(name, str(count))
    console.print(table, *broken, sep="\n")
    return 1 if broken else 0


def _day(seed: int) -> tuple[Counter[str], Verdict]:
    folder = Path(tempfile.mkdtemp(prefix="mdc", dir="/tmp"))  # short: sockets take 100 bytes
    postgres = CrashingPostgres(folder / "pg")
    attack = planned(seed, _CALLS, _deeds(seed), patience_seconds=_PATIENCE_SECONDS)
    world = day_of_calls(seed=seed, day=DAY, calls=_CALLS, clinics=_CLINICS)
    try:
        with open_site(world, postgres, folder / "site") as site:
            carry_out(site, attack)
            site.fleet.stop()
            return attack.done, asyncio.run(judged(site))
    finally:
        postgres.close()
        shutil.rmtree(folder, ignore_errors=True)


def _deeds(seed: int) -> list[tuple[Deed, float]]:
    rng = random.Random(seed)
    targets = rng.choices(list(_KINDS), k=_FAULTS)
    # Of the CRM the postings only: what the sync found is the truth that all is compared with.
    faults = [
        fault(target, rng.choice(_KINDS[target]), match="/notes" if target == "amocrm" else "")
        for target in targets
    ]
    deeds = [*[kill] * _KILLS, crash_postgres, _kill_postgres, *faults]
    return [(deed, LAST) for deed in deeds]


def _kill_postgres(site: Site, _: random.Random) -> str:
    site.postgres.crash(signal.SIGKILL)
    return "kill of PostgreSQL"


if __name__ == "__main__":
    raise SystemExit(main())
