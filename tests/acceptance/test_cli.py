"""The command line as processes: what goes wrong, in one line with its code; nothing is lost."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from tests.fixtures.command_line import CommandLine, command_line
from tests.fixtures.sandbox import DAY
from tests.fixtures.stores import empty_database, free_port

from medai.cli.running import EXIT_CODES
from medai.sandbox.audio.formats import Form, converted
from medai.sandbox.audio.store import AudioStore
from medai.sandbox.audio.tones import ToneMaker
from medai.sandbox.client import Control
from medai.sandbox.server import SandboxServer
from medai.sandbox.world.bulk import generate_bulk
from medai.sandbox.world.models import Dialogue, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLS = 4
FORMS: tuple[Form, ...] = ("mp3", "wav", "ogg", "m4a")


class ConvertedAudio(AudioStore):
    """Recordings that are recognised in other containers too."""

    def __init__(self, world: World, cache_dir: Path) -> None:
        super().__init__(world, cache_dir, ToneMaker())
        self._converted: dict[str, Dialogue] = {}

    async def as_form(self, name: str, form: Form) -> bytes:
        content = await self.content(name)
        assert content is not None
        dialogue = self.dialogue_of(hashlib.sha256(content).hexdigest())
        assert dialogue is not None
        changed = await asyncio.to_thread(converted, content, form)
        self._converted[hashlib.sha256(changed).hexdigest()] = dialogue
        return changed

    def dialogue_of(self, sha256: str) -> Dialogue | None:
        return self._converted.get(sha256) or super().dialogue_of(sha256)


@dataclass(frozen=True, slots=True)
class Desk:
    """A shell with one connected clinic of a few calls."""

    medai: CommandLine
    control: Control
    audio: ConvertedAudio
    client_id: str

    @property
    def day(self) -> tuple[str, ...]:
        return ("--clinic", self.client_id, "--from", DAY.isoformat())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(
    postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Desk]:
    world = generate_bulk(seed=3, day=DAY, calls=CALLS, shared_recordings=CALLS)
    audio = ConvertedAudio(world, tmp_path_factory.mktemp("recordings"))
    with (
        SandboxServer(world, audio) as server,
        Control(server.url) as control,
        empty_database(postgres_server) as dsn,
    ):
        medai = command_line(server.url, dsn, tmp_path_factory.mktemp("desk"))
        (clinic,) = control.clinics()
        options = ("name", "subdomain", "client_id", "redirect_url")
        words = [word for name in options for word in (f"--{name.replace('_', '-')}", clinic[name])]
        added = await medai.run(
            "clinics", "add", *words,
            AMOCRM_CLIENT_SECRET=clinic["client_secret"], AMOCRM_AUTH_CODE=clinic["auth_code"],
        )  # fmt: skip
        assert (added.code, added.err) == (0, "")
        yield Desk(medai, control, audio, clinic["client_id"])


async def test_a_wrong_request_is_one_line_with_its_exit_code(desk: Desk) -> None:
    run, nowhere = desk.medai.run, f"127.0.0.1:{free_port()}"

    unknown, malformed, away, wrong, missing = await asyncio.gather(
        run("process", "--clinic", "nobody", "--from", DAY.isoformat()),
        run("process", "--clinic", desk.client_id, "--from", "31.02.2026"),
        run("sync", *desk.day, AMOCRM_BASE_URL_TEMPLATE=f"http://{nowhere}/{{subdomain}}"),
        run("sync", *desk.day, AMOCRM_REQUESTS_PER_SECOND="99"),
        run("process", *desk.day, EVENLABS=""),
    )

    assert unknown.code == EXIT_CODES["not_found"] == 3
    assert "«nobody»" in unknown.one_line()
    assert "проверьте client_id" in unknown.one_line()
    assert malformed.code == EXIT_CODES["invalid_input"] == 2
    assert "укажите ДД.ММ.ГГГГ" in malformed.one_line()
    assert away.code == EXIT_CODES["provider_unavailable"] == 11
    assert "amoCRM" in away.one_line()
    assert wrong.code == EXIT_CODES["settings"] == 4
    assert "AMOCRM_REQUESTS_PER_SECOND" in wrong.one_line()
    for ended in (unknown, malformed, away, wrong):
        assert ended.one_line().startswith("Ошибка: ")
        assert ended.out == ""
    assert missing.code == EXIT_CODES["incomplete"] == 20
    assert "укажите EVENLABS" in missing.one_line()
    assert desk.control.bill()["stt_paid"] == 0


async def test_a_mended_setting_lets_the_same_command_finish(desk: Desk) -> None:
    run = desk.medai.run

    refused = await run("process", *desk.day, EVENLABS="wrong")
    no_model = await run("process", *desk.day, OPENAI="wrong")
    paid = desk.control.bill()
    done = await run("process", *desk.day)

    for ended, name in ((refused, "EVENLABS"), (no_model, "OPENAI")):
        assert ended.code == EXIT_CODES["incomplete"] == 20
        assert ended.one_line().startswith(f"Ошибка: Готово не всё (ждут {CALLS}, ")
        assert name in ended.one_line()
    assert paid["stt_paid"] == paid["notes"] == CALLS
    assert (done.code, done.err) == (0, "")
    assert "call_details: строк записано" in done.out
    bill = desk.control.bill()
    assert list(bill["stt_paid_by_sha256"].values()) == [1] * CALLS
    assert bill["notes"] == CALLS


async def test_own_recordings_of_every_form_are_scored_without_a_crm(
    desk: Desk, tmp_path: Path
) -> None:
    names = desk.audio.names
    files = []
    for form, name in zip(FORMS, names, strict=True):
        content = await desk.audio.as_form(name, form)
        (file := tmp_path / f"call.{form}").write_bytes(content)
        files.append(str(file))
    (broken := tmp_path / "broken.mp3").write_bytes(b"<html>not a recording</html>")
    words = ("call", "--clinic", "Своя клиника", "--at", "19.11.2026 10:00")
    before = desk.control.bill()

    ended = await desk.medai.run(*words, *files, str(broken), str(tmp_path / "absent.wav"))
    again = await desk.medai.run(*words, *files)

    assert ended.code == EXIT_CODES["incomplete"]
    about_broken, about_absent, last = ended.err.splitlines()
    assert about_broken.startswith(f"{broken}: ")
    assert "absent.wav: файл не читается" in about_absent
    assert last.startswith("Ошибка: Готово не всё")
    assert (again.code, again.err) == (0, "")
    for shown in (ended.out, again.out):
        assert shown.count("Звонок ") == len(FORMS)
        assert shown.count("Тип: ") == len(FORMS)
        assert shown.count("Итог: ") == len(FORMS)
    bill = desk.control.bill()
    assert bill["stt_paid"] - before["stt_paid"] == len(FORMS)
    assert set(bill["stt_paid_by_sha256"].values()) == {1}
    assert bill["notes"] == before["notes"]
    assert bill["crm_requests"] == before["crm_requests"]


async def test_minutes_are_shown_added_and_reset(desk: Desk) -> None:
    run, clinic = desk.medai.run, ("--clinic", desk.client_id)

    shown = await run("limits", "show")
    added = await run("limits", "add", *clinic, "--week", "10", "--month", "5")
    reset, nothing = await asyncio.gather(
        run("limits", "reset", "--week"),  # every clinic, as cron asks
        run("limits", "set", *clinic),
    )

    month, week, *_own_recordings = table(shown.out)
    assert (month[1:3], week[1:3]) == (["месяц", "3000"], ["неделя", "750"])
    assert month[3] == week[3] != "0"  # what the day's four recordings took
    assert month[-2:] == ["конца периода", "нет"]
    assert f"месяц {month[3]} из 3005 мин, неделя {week[3]} из 760 мин" in added.out
    assert "продолжат ждавшие звонки: 0" in added.out
    assert f"месяц {month[3]} из 3005 мин, неделя 0 из 760 мин" in reset.out
    assert len(reset.out.splitlines()) == len(table(shown.out)) / 2
    assert nothing.code == EXIT_CODES["invalid_input"]
    assert "--month или --week" in nothing.one_line()
    for ended in (shown, added, reset):
        assert (ended.code, ended.err) == (0, "")


async def test_conclusions_of_a_week_are_printed(desk: Desk) -> None:
    run, clinic = desk.medai.run, ("--clinic", desk.client_id)

    week, malformed = await asyncio.gather(
        run("recommend", *clinic, "--from", "16.11.2026", "--to", "22.11.2026"),
        run("recommend", *clinic, "--month", "ноябрь"),
    )
    month = await run("recommend", *clinic, "--month", "2026-11")

    assert malformed.code == EXIT_CODES["invalid_input"]
    assert (week.code, week.err, month.code, month.err) == (0, "", 0, "")
    assert week.out.startswith("1. ")
    assert f"Разобрано звонков: {CALLS}" in week.out
    assert "## Итоги" in month.out
    kinds = desk.control.bill()["llm_requests_by_kind"]
    assert (kinds["WeekConclusions"], kinds["MonthConclusions"]) == (1, 1)


def table(text: str) -> list[list[str]]:
    """The cells of the printed rows below the heading."""
    return [re.split(r" {2,}", line.strip()) for line in text.splitlines()[1:]]
