"""Kill any process at any moment: nothing is lost, nothing is paid or written twice (design 7)."""

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.chaos.attack import EARLY, LAST, carry_out, crash_postgres, fault, kill, planned
from tests.chaos.postgres import CrashingPostgres
from tests.chaos.promises import judged
from tests.chaos.site import open_site
from tests.chaos.world import day_of_calls
from tests.fixtures.sandbox import DAY

CALLS = 300
CLINICS = 2
KILLS = 25
CRASHES = 2
LOST_ANSWERS = 4
PATIENCE_SECONDS = 400.0


@pytest.fixture
def postgres(short_dir: Path) -> Iterator[CrashingPostgres]:
    server = CrashingPostgres(short_dir / "kill")
    yield server
    server.close()


def test_a_fleet_that_is_killed_all_the_time_loses_and_repeats_nothing(
    postgres: CrashingPostgres, tmp_path: Path
) -> None:
    seed = secrets.randbelow(10_000)
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    lost = [
        fault("elevenlabs", "reset_after_commit"),
        fault("amocrm", "reset_after_commit", match="/notes"),
        fault("openai", "reset_after_commit"),
    ]
    silent = [fault("elevenlabs", "timeout"), fault("openai", "timeout")]
    deeds = [
        *[(kill, LAST)] * KILLS,
        *[(crash_postgres, EARLY)] * CRASHES,
        *[(deed, EARLY / 2) for deed in (*lost * LOST_ANSWERS, *silent)],
    ]
    attack = planned(seed, CALLS, deeds, patience_seconds=PATIENCE_SECONDS)
    world = day_of_calls(seed=seed, day=DAY, calls=CALLS, clinics=CLINICS)

    with open_site(world, postgres, tmp_path) as site:
        carry_out(site, attack)
        codes = site.fleet.stop()
        verdict = asyncio.run(judged(site))

    print(attack.done, verdict.totals, f"{attack.seconds:.0f} s", codes)  # noqa: T201
    assert not verdict.broken, "\n".join(verdict.broken)
