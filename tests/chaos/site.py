"""An installation under attack: its stores, its fleet, and the providers that know the truth."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.fleet import Fleet
from tests.chaos.journal import Journal, Journalling
from tests.chaos.postgres import CrashingPostgres
from tests.fixtures.application import API_KEY, SECRET, settings_for

from medai.bootstrap import Application, open_application
from medai.cli.demo.scenario import Outcome, connect
from medai.kit.clock import Clock, utc_now
from medai.kit.days import DayRange
from medai.sandbox.audio.store import AudioStore
from medai.sandbox.audio.tones import ToneMaker
from medai.sandbox.client import Control
from medai.sandbox.ledger import Ledger, LlmRequest, NoteWritten, Recognition
from medai.sandbox.server import SandboxServer
from medai.sandbox.world.models import World

RECOGNITION_SECONDS = 0.3
"""How long the provider takes, so that a kill can meet a request under way."""
_SLOTS = 100
_DONE = (Recognition, NoteWritten, LlmRequest)
SETTINGS = {
    "API_KEY": API_KEY,
    "MEDAI_SECRET": SECRET,
    "ELEVENLABS_TIMEOUT_SECONDS": "2",
    "OPENAI_TIMEOUT_SECONDS": "4",
    "STT_REPEATS_AFTER_LOST_ANSWER": "5",
    "LOG_FORMAT": "json",
}
"""Of the fleet. A killed worker's recognition is left alone as long as it might last; nothing is
held for a person here, so that the day comes to its end."""


@dataclass(slots=True)
class Site:
    """One installation with one day of work."""

    world: World
    server: SandboxServer
    control: Control
    journal: Journal
    postgres: CrashingPostgres
    fleet: Fleet
    folder: Path
    outcome: Outcome

    @property
    def ledger(self) -> Ledger:
        """What the providers did."""
        ledger: Ledger = self.server.app.state.sandbox.ledger
        return ledger

    @property
    def days(self) -> DayRange:
        return DayRange(self.world.day, self.world.day)

    @property
    def client_ids(self) -> list[str]:
        return [clinic.client_id for clinic in self.world.clinics]

    @property
    def calls(self) -> int:
        return sum(len(clinic.calls) for clinic in self.world.clinics)

    def steps_done(self) -> int:
        """Recognitions, notes and answers of the model, repeated ones too."""
        return sum(isinstance(entry, _DONE) for entry in self.ledger.entries())

    @asynccontextmanager
    async def application(self, clock: Clock = utc_now) -> AsyncIterator[Application]:
        """The product inside this process, for asking it; no worker runs here."""
        settings = settings_for(self.server.url, self.postgres.dsn, self.folder / "data")
        async with open_application(settings, clock=clock) as opened:
            yield opened

    async def ask_for_everything(self) -> None:
        """Connect the clinics, take their calls from the CRM, queue the whole way of each call."""
        async with self.application() as application:
            for clinic in self.control.clinics():
                await connect(application, clinic)
            for client_id in self.client_ids:
                result = await application.syncs.run(client_id, self.days)
                self.outcome.syncs[client_id] = result
                await application.requests.everything(client_id, self.days)


@contextmanager
def open_site(world: World, postgres: CrashingPostgres, folder: Path) -> Iterator[Site]:
    """The site with all calls asked for and no process running yet."""
    folder.mkdir(parents=True, exist_ok=True)
    audio = AudioStore(world, folder / "recordings", ToneMaker())
    server, journal = SandboxServer(world, audio), Journal()
    server.app.add_middleware(Journalling, journal=journal)
    with ExitStack() as resources:
        resources.enter_context(server)
        control = resources.enter_context(Control(server.url))
        control.post("/elevenlabs/capacity", limit=_SLOTS, work_seconds=RECOGNITION_SECONDS)
        fleet = resources.enter_context(Fleet(server.url, postgres.dsn, folder, SETTINGS))
        site = Site(world, server, control, journal, postgres, fleet, folder, Outcome())
        asyncio.run(site.ask_for_everything())
        yield site
