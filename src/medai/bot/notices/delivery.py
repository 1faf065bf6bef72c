"""The bot process's own work: asking what is due and writing it, as long as the process lives.

Rounds of their own, so that the digests of many clinics never keep an alert waiting. A store or
Telegram that is away costs one log line until it is back, however long that takes.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from datetime import date

import structlog
from aiogram import Bot

from medai.bootstrap import Application
from medai.bot.notices.posts import patient_post, post_of
from medai.bot.notices.writing import AwayError, RefusedError, UnknownError, rewrite, write
from medai.errors import MedaiError
from medai.kit.clock import Clock
from medai.processing.digests.deliveries import Due, State
from medai.processing.digests.service import Digests

_log = structlog.get_logger(__name__)

_ALERT_PAUSE_SECONDS = 15.0
_DIGEST_PAUSE_SECONDS = 30.0
_NIGHT_PAUSE_SECONDS = 60.0
_LAST_MESSAGE_SECONDS = 10.0
_Round = Callable[[], Awaitable[None]]


class Delivery:
    """Writes notices through the bot, one process at a time (the lock of the bot's token)."""

    def __init__(self, bot: Bot, digests: Digests, clock: Clock) -> None:
        self._bot = bot
        self._digests = digests
        self._clock = clock
        self._stopped = asyncio.Event()
        self._troubled: dict[str, str] = {}
        self._asked_to_wait: dict[str, float] = {}
        self._cleaned: date | None = None

    def stop(self) -> None:
        """End after the message that is being written."""
        self._stopped.set()

    async def run(self) -> None:
        """Deliver until `stop`."""
        await self._until_done("abandoned", self._abandon)
        async with asyncio.TaskGroup() as all_rounds:
            all_rounds.create_task(self._repeat("alerts", self.alerts, _ALERT_PAUSE_SECONDS))
            all_rounds.create_task(self._repeat("troubles", self.troubles, _ALERT_PAUSE_SECONDS))
            all_rounds.create_task(self._repeat("digests", self.mornings, _DIGEST_PAUSE_SECONDS))
            all_rounds.create_task(self._repeat("nights", self.nights, _NIGHT_PAUSE_SECONDS))

    async def alerts(self) -> None:
        """One round of what cannot wait. Raises StoreError and AwayError."""
        patients = self._digests.patients
        await patients.find()
        await patients.close_booked()
        await self._deliver(patients.due())
        await bring_up_to_date(self._bot, self._digests)

    async def troubles(self) -> None:
        """One round of technical troubles. Raises StoreError and AwayError."""
        await self._digests.troubles.look()
        await self._deliver(self._digests.troubles.due())

    async def mornings(self) -> None:
        """One round of digests. Raises StoreError and AwayError."""
        await self._deliver(self._digests.mornings.due())
        today = self._clock().date()
        if self._cleaned != today:
            await self._digests.deliveries.forget()
            self._cleaned = today

    async def nights(self) -> None:
        """The report of a night that is over. Raises StoreError and AwayError."""
        await self._deliver(self._digests.nights.due())

    async def _abandon(self) -> None:
        left = await self._digests.deliveries.abandon()
        if left:
            _log.warning("messages of an interrupted process are not repeated", messages=left)

    async def _deliver(self, dues: AsyncGenerator[Due, None]) -> None:
        async with aclosing(dues) as found:
            async for due in found:
                if self._stopped.is_set():
                    return
                await self._write(due)

    async def _write(self, due: Due) -> None:
        post = post_of(due)
        deliveries = self._digests.deliveries
        if not await self._digests.recipients.may_read(due) or not await deliveries.claim(due):
            return
        try:
            message_id = await write(self._bot, due.chat_id, post)
        except AwayError:
            await deliveries.withdraw(due.id)
            raise
        except RefusedError:
            await deliveries.end(due.id, State.REFUSED)
            _log.info("a notice was refused", kind=due.kind.value)
        except UnknownError:
            await deliveries.end(due.id, State.UNKNOWN)
            _log.warning("a notice may not have arrived", kind=due.kind.value)
        else:
            await deliveries.sent(due.id, message_id)

    async def _repeat(self, name: str, work: _Round, pause: float) -> None:
        while not self._stopped.is_set():
            await self._guarded(name, work)
            await self._rest(max(pause, self._asked_to_wait.pop(name, 0.0)))

    async def _until_done(self, name: str, work: _Round) -> None:
        while not self._stopped.is_set() and not await self._guarded(name, work):
            await self._rest(_ALERT_PAUSE_SECONDS)

    async def _guarded(self, name: str, work: _Round) -> bool:
        """Do it; a failure is logged when it begins, not with every repetition."""
        try:
            await work()
        except (MedaiError, AwayError) as error:
            trouble = error.code if isinstance(error, MedaiError) else str(error)
            if isinstance(error, AwayError):
                self._asked_to_wait[name] = error.seconds
            if self._troubled.get(name) != trouble:
                _log.warning("notices wait", round=name, trouble=trouble)
            self._troubled[name] = trouble
            return False
        except Exception as error:  # noqa: BLE001 - one broken notice must not end the bot
            trouble = type(error).__name__
            if self._troubled.get(name) != trouble:
                _log.exception("notices failed", round=name)
            self._troubled[name] = trouble
            return False
        if self._troubled.pop(name, None):
            _log.info("notices go on", round=name)
        return True

    async def _rest(self, seconds: float) -> None:
        """Pause; `stop` ends it."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), seconds)


async def bring_up_to_date(bot: Bot, digests: Digests) -> None:
    """Edit messages that show an earlier state of their alert. Raises StoreError, AwayError."""
    async with aclosing(digests.patients.outdated()) as found:
        async for delivery, notice in found:
            if delivery.message_id is not None:
                post = patient_post(notice)
                await rewrite(bot, delivery.chat_id, delivery.message_id, post)
                await digests.deliveries.shown(delivery.id, notice.alert.changes)


async def deliver(application: Application, bot: Bot) -> None:
    """Beside the dialogues for as long as the bot runs; a message under way is ended."""
    delivery = Delivery(bot, application.digests, application.clock)
    running = asyncio.create_task(delivery.run())
    try:
        await asyncio.shield(running)
    finally:
        delivery.stop()
        await asyncio.wait({running}, timeout=_LAST_MESSAGE_SECONDS)
        running.cancel()
