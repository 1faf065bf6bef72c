"""A command that waits for calls ends with a reason when a store takes no results."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from tests.fixtures.clinic_at_work import TODAY, ClinicAtWork

from medai.bootstrap import Application
from medai.cli import working
from medai.cli.working import work_until_settled
from medai.errors import StoreError
from medai.kit.days import DayRange
from medai.processing.requests import Progress

NOTE = 1000004

_DISK_FULL = """
CREATE FUNCTION pg_temp_full() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER disk_is_full BEFORE UPDATE ON documents.calls
FOR EACH STATEMENT EXECUTE FUNCTION pg_temp_full();
"""
_SPACE_AGAIN = "DROP TRIGGER disk_is_full ON documents.calls; DROP FUNCTION pg_temp_full();"


async def test_a_full_disk_is_told(at_work: ClinicAtWork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "STANDSTILL", timedelta(seconds=1))
    await at_work.sync()
    await at_work.wanted(NOTE)
    async with at_work.app.pool.connection() as connection:
        await connection.execute(_DISK_FULL.encode())
        try:
            with pytest.raises(StoreError, match="место на диске"):
                await work_until_settled(
                    at_work.app, [at_work.client_id], TODAY, lambda progress: None
                )
        finally:
            await connection.execute(_SPACE_AGAIN.encode())


async def test_a_store_that_comes_back_is_waited_for(
    at_work: ClinicAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two looks meet no database, whose real death is test_service_under_attack.py's matter."""
    await at_work.sync()
    await at_work.wanted(NOTE)
    look, looks = working._total, 0

    async def interrupted(
        application: Application, client_ids: Sequence[str], days: DayRange
    ) -> Progress:
        nonlocal looks
        looks += 1
        if looks in (2, 3):
            raise StoreError("PostgreSQL недоступен: проверьте сервер")
        return await look(application, client_ids, days)

    monkeypatch.setattr(working, "_total", interrupted)
    progress = await work_until_settled(at_work.app, [at_work.client_id], TODAY, lambda _: None)

    assert looks > 3
    assert (progress.transcribed, progress.noted, progress.analysed) == (1, 1, 1)
