"""One business day of two clinics through the whole product, over each document store.

The sandbox knows the truth; the product must reach the same numbers whatever store holds its
documents, however often and by however many processes the day is worked on.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.fixtures.application import empty_mongodb, process_day, settings_for
from tests.fixtures.sandbox import DAY
from tests.fixtures.stored import Rows, differences, documents_of, facts, rows_of
from tests.fixtures.stores import REAL_MONGODB_URI, empty_database

from medai.bootstrap import Application, open_application
from medai.cli.demo.comparison import compare
from medai.cli.demo.scenario import Outcome, connect
from medai.kit.days import DayRange
from medai.sandbox.audio.store import AudioStore
from medai.sandbox.client import Control
from medai.sandbox.server import SandboxServer
from medai.sandbox.world.models import World
from medai.settings import Settings

pytestmark = pytest.mark.asyncio(loop_scope="module")

STORES = ["postgres", "mongodb"]


@dataclass(frozen=True, slots=True)
class Place:
    """Empty stores and a sandbox of their own."""

    settings: Settings
    control: Control
    clinics: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Day:
    """A processed day with what was stored right after it."""

    place: Place
    application: Application
    outcome: Outcome
    documents: Rows
    rows: Rows
    bill: dict[str, Any]


class Places:
    """Makes places until the module ends."""

    def __init__(
        self, world: World, audio: AudioStore, postgres: str, mongodb: str, folder: Path
    ) -> None:
        self._world, self._audio = world, audio
        self._postgres, self._mongodb, self._folder = postgres, mongodb, folder
        self.resources = AsyncExitStack()

    async def of(self, store: str, name: str, *, clinics: int = 2) -> Place:
        keep = self.resources
        world = replace(self._world, clinics=self._world.clinics[:clinics])
        server = keep.enter_context(SandboxServer(world, self._audio))
        control = keep.enter_context(Control(server.url))
        dsn = keep.enter_context(empty_database(self._postgres))
        mongodb = ("", "")
        if store == "mongodb":
            mongodb = await keep.enter_async_context(empty_mongodb(self._mongodb))
        settings = settings_for(server.url, dsn, self._folder / name, mongodb)
        return Place(settings, control, control.clinics())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def places(
    sandbox_world: World,
    sandbox_audio: AudioStore,
    postgres_server: str,
    mongodb_uri: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Places]:
    folder = tmp_path_factory.mktemp("days")
    uri = REAL_MONGODB_URI or mongodb_uri
    made = Places(sandbox_world, sandbox_audio, postgres_server, uri, folder)
    async with made.resources:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def days(places: Places) -> dict[str, Day]:
    """The day over each store, worked on at the same time to save ours."""
    processed = await asyncio.gather(*(_processed(places, store) for store in STORES))
    return dict(zip(STORES, processed, strict=True))


async def _processed(places: Places, store: str) -> Day:
    place = await places.of(store, store)
    application = await places.resources.enter_async_context(open_application(place.settings))
    for clinic in place.clinics:
        await connect(application, clinic)
    outcome = await process_day(application, place.clinics, DAY)
    return Day(
        place,
        application,
        outcome,
        await documents_of(application),
        await rows_of(application),
        place.control.bill(),
    )


@pytest.mark.parametrize("store", STORES)
async def test_every_number_equals_the_truth(days: dict[str, Day], store: str) -> None:
    day = days[store]

    found = await compare(
        day.application, day.outcome, day.place.control.truth(), day.bill, DayRange(DAY, DAY)
    )

    assert found.differences == []
    # All kinds of lines were compared: totals, sums of tables, facts of single calls.
    assert len(found.lines) > 20
    assert len(found.calls) > 500


async def test_both_stores_hold_the_same(days: dict[str, Day]) -> None:
    postgres, mongodb = days["postgres"], days["mongodb"]

    assert differences(facts(mongodb.documents), facts(postgres.documents)) == []
    assert differences(facts(mongodb.rows), facts(postgres.rows)) == []
    assert len(postgres.documents["calls"]) == len(postgres.documents["analyses"]) + 16
    assert mongodb.bill["notes_by_card"] == postgres.bill["notes_by_card"]


@pytest.mark.parametrize("store", STORES)
async def test_the_same_day_again_changes_nothing(days: dict[str, Day], store: str) -> None:
    day = days[store]

    outcome = await process_day(day.application, day.place.clinics, DAY)

    assert [result.created + result.changed for result in outcome.syncs.values()] == [0, 0]
    rows, documents = await rows_of(day.application), await documents_of(day.application)
    assert differences(rows, day.rows) == []  # ids and created_at too
    assert differences(_unasked(documents), _unasked(day.documents)) == []
    bill = day.place.control.bill()
    assert _costs(bill) == _costs(day.bill)


@pytest.mark.parametrize("store", STORES)
async def test_two_at_once_do_the_work_of_one(
    places: Places, days: dict[str, Day], store: str
) -> None:
    alone = days[store]
    place = await places.of(store, f"{store}-twice", clinics=1)
    client_id = place.clinics[0]["client_id"]
    async with open_application(place.settings) as application:
        await connect(application, place.clinics[0])

        # Threads with loops of their own share nothing but the stores, like processes.
        nights = [asyncio.to_thread(asyncio.run, _night(place)) for _ in range(2)]
        results = [outcome.syncs[client_id] for outcome in await asyncio.gather(*nights)]

        created = sum(result.created for result in results)
        assert created == alone.outcome.syncs[client_id].created
        bill = place.control.bill()
        assert set(bill["stt_paid_by_sha256"].values()) == {1}
        assert set(bill["notes_by_card"].items()) <= set(alone.bill["notes_by_card"].items())
        truth = place.control.truth()["clinics"][client_id]
        assert bill["notes"] == bill["stt_paid"] == truth["notes_written"]
        documents, rows = await documents_of(application), await rows_of(application)
        assert differences(facts(documents), facts(alone.documents, client_id)) == []
        assert differences(facts(rows), facts(alone.rows, client_id)) == []


async def _night(place: Place) -> Outcome:
    async with open_application(place.settings) as application:
        return await process_day(application, place.clinics, DAY)


def _unasked(documents: Rows) -> Rows:
    """Without when work was last asked for: a call without a recording is asked for again."""
    asked = ("analysis_requested_at", "transcription_requested_at")
    calls = [
        {key: value for key, value in call.items() if call["audio"] or key not in asked}
        for call in documents["calls"]
    ]
    return {**documents, "calls": calls}


def _costs(bill: dict[str, Any]) -> dict[str, Any]:
    """What the providers would charge for, and what people would see twice."""
    return {
        name: bill[name]
        for name in ("stt_paid_by_sha256", "stt_billed_seconds", "llm_requests", "notes_by_card")
    }
