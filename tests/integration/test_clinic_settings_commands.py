"""Settings of a clinic and shifts by command."""

from pathlib import Path

from tests.fixtures.application import settings_for
from tests.fixtures.command_line import command_line
from tests.fixtures.sandbox import RunningSandbox

from medai.bootstrap import open_application


async def test_settings_are_changed_by_command(
    sandbox: RunningSandbox, prepared_dsn: str, tmp_path: Path
) -> None:
    settings = settings_for(sandbox.url, prepared_dsn, tmp_path / "data")
    async with open_application(settings) as application:
        client_id = (await application.registration.local("Альфа")).client_id
        medai = command_line(sandbox.url, prepared_dsn, tmp_path)
        change = ("clinics", "set", "--clinic", client_id)
        done = await medai.run(*change, "--window-days", "3", "--not-applicable", "zero")
        assert (done.code, done.err) == (0, "")
        assert "conversion_window_days = 3" in done.out
        stored = await application.clinics.require(client_id)
        assert (stored.conversion_window_days, stored.count_not_applicable_as_zero) == (3, True)
        lost = await medai.run(*change, "--timezone", "Mars/Olympus")
        assert "Mars/Olympus" in lost.one_line()
        shift = ("staff", "shift", "--clinic", client_id, "--day", "01.12.2026")
        assert (await medai.run(*shift, "--first-name", "Анна")).out == "Смена добавлена\n"
