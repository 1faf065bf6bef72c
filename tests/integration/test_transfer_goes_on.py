"""Work that was unfinished when its installation was moved is finished where it arrives, once."""

import asyncio
from pathlib import Path

import psycopg
import pytest
from tests.fixtures.application import settings_for
from tests.fixtures.clinic_at_work import EVENING, TODAY, ClinicAtWork, opened_clinic
from tests.fixtures.moving import fresh_mongodb, quiet, stored_in
from tests.fixtures.sandbox import RunningSandbox
from tests.fixtures.service import working
from tests.fixtures.transcription import SettableClock

from medai.bootstrap import Application, open_application
from medai.bootstrap.transfer import open_transfer
from medai.bot.collections import BOT_COLLECTIONS
from medai.calls.models import Step
from medai.errors import ConflictError
from medai.processing.run_book import RunView
from medai.processing.transfer.marker import ImportMarker, Marker

NOTE = 1000004
DAYS = ("19.11.2026", "19.11.2026")
_PATIENCE_SECONDS = 90


async def half_done(at_work: ClinicAtWork) -> str:
    """A day of which one call is transcribed; a run that is to do the rest; nobody works."""
    await at_work.sync()
    await at_work.wanted(NOTE)
    done = await at_work.run(NOTE, Step.RECORDING, Step.TRANSCRIPTION)
    assert done.transcript is not None
    run_id: str = await at_work.app.asked.process(at_work.client_id, *DAYS)
    return run_id


async def finished(app: Application, run_id: str) -> RunView:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while (view := await app.run_book.look(run_id)).run.state == "running":  # noqa: ASYNC110
            await asyncio.sleep(0.1)  # looking moves the run on
    return view


async def test_the_run_goes_on_in_the_other_store_and_nothing_is_paid_twice(
    sandbox: RunningSandbox, prepared_dsn: str, postgres_dsn: str, mongodb_uri: str, tmp_path: Path
) -> None:
    async for at_work in opened_clinic(sandbox, prepared_dsn, tmp_path / "data", 0):
        run_id, client_id = await half_done(at_work), at_work.client_id
        costs = await at_work.app.ledger.of_call((await at_work.call(NOTE)).id)
    assert len(costs) > 0
    path = tmp_path / "a.zip"
    here = settings_for(sandbox.url, prepared_dsn, tmp_path / "data")
    async with fresh_mongodb(mongodb_uri) as mongodb:
        changes = {"amocrm_requests_per_second": 0}
        there = settings_for(sandbox.url, postgres_dsn, tmp_path / "data", mongodb, **changes)
        async with open_transfer(here, BOT_COLLECTIONS) as source:
            await source.packing.pack(path, files=False, live=False, said=quiet)
            before = await stored_in(source)
        async with open_transfer(there, BOT_COLLECTIONS) as target:
            await target.unpacking.unpack(path, replace=False, said=quiet)
            assert await stored_in(target) == before
        async with open_application(there, clock=SettableClock(EVENING)) as app, working(app):
            view = await finished(app, run_id)
            calls = [call async for call in app.calls.of_days(client_id, TODAY)]
            kept = await app.ledger.by_ids([line.id for line in costs])
            assert kept == {line.id: line for line in costs}
    assert view.run.state == "completed"
    done = view.progress
    assert done.settled == done.total > 10
    assert done.transcribed == done.noted == done.analysed > 10
    transcribed = [call for call in calls if call.transcript]
    assert sandbox.control.bill()["stt_paid"] == len(transcribed) > 10
    with psycopg.connect(postgres_dsn) as connection:
        stored = connection.execute("SELECT count(*) FROM call_details").fetchone()
    assert stored is not None
    assert stored[0] > 10


async def test_a_service_does_not_start_on_half_of_the_documents(
    prepared_dsn: str, tmp_path: Path
) -> None:
    settings = settings_for("http://127.0.0.1:9", prepared_dsn, tmp_path / "data")
    async with open_transfer(settings) as opened:
        await ImportMarker(opened.installation.documents).set(Marker(archive="0", wiped=True))
    with pytest.raises(ConflictError, match="medai import-data"):
        async with open_application(settings):
            pass
