"""Carries errands out beside the dialogue, stops them when asked, resumes them after a restart."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramForbiddenError

from medai.bot.errands.ledger import Errand, ErrandKind, ErrandLedger, errand_id
from medai.bot.errands.progress import Progress
from medai.bot.keyboards import common as keyboards
from medai.bot.screens import Screen
from medai.bot.texts import common as texts
from medai.errors import MedaiError
from medai.members.repository import Members
from medai.processing.seats import Seat, Seats

_log = structlog.get_logger(__name__)

_TELL_SECONDS = 1.0

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Task:
    """What a carrier is given."""

    errand: Errand
    seat: Seat
    bot: Bot
    progress: Progress
    ledger: ErrandLedger
    look: Callable[[], Awaitable[Seat]]
    """The seat as it is now: asked before anything is given out. Raises NotFoundError."""

    @property
    def chat_id(self) -> int:
        """Where it is shown."""
        return self.errand.chat_id

    async def tell(self, text: str) -> None:
        """Show how far it is, now and then. Raises NotFoundError once the person was taken out:
        then the work ends too."""
        if self.progress.is_due:
            await self.look()
            await self.progress.tell(text)

    async def during(self, work: Awaitable[Result], words: Callable[[int], str]) -> Result:
        """Do the work, telling meanwhile for how many seconds already. Raises as `tell`."""
        working = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({working}, timeout=_TELL_SECONDS))[0]:
                await self.tell(words(self.progress.seconds))
            return await working
        finally:
            working.cancel()


Carrier = Callable[[Task], Awaitable[None]]
Carriers = Mapping[ErrandKind, Carrier]


class Errands:
    """Errands of this process. Raises StoreError and Telegram's errors when one is started."""

    def __init__(
        self, bot: Bot, ledger: ErrandLedger, members: Members, seats: Seats, carriers: Carriers
    ) -> None:
        self._bot = bot
        self._ledger = ledger
        self._members = members
        self._seats = seats
        self._carriers = carriers
        self._running: dict[str, asyncio.Task[None]] = {}
        self._stopped: set[str] = set()

    def is_busy(self, kind: ErrandKind, chat_id: int) -> bool:
        """Whether the person has an errand of this kind under way here."""
        return errand_id(kind, chat_id) in self._running

    async def start(self, seat: Seat, kind: ErrandKind, args: tuple[str, ...], words: str) -> bool:
        """Begin, with a message of these words; False when one of the kind is under way."""
        chat_id = seat.member.telegram_id
        if self.is_busy(kind, chat_id):
            return False
        shown = await self._bot.send_message(chat_id, words, reply_markup=keyboards.stop())
        client_id = seat.membership.client_id
        begin = partial(self._ledger.begin, kind, chat_id, client_id, shown.message_id, args)
        errand = await begin()
        if errand is None:
            # Nobody carries it out: its end could not be written down. One process leads a bot.
            await self._ledger.drop(kind, chat_id)
            errand = await begin()
        if errand is None:
            await self._bot.delete_message(chat_id, shown.message_id)
            return False
        self._launch(errand)
        return True

    async def stop(self, chat_id: int) -> int:
        """Stop whatever the person has under way; returns how many."""
        ids = [one for kind in ErrandKind if (one := errand_id(kind, chat_id)) in self._running]
        tasks = [self._running[one] for one in ids]
        self._stopped.update(ids)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        return len(tasks)

    async def resume(self) -> int:
        """Go on with what an earlier process left; returns how many."""
        left = [errand async for errand in self._ledger.all() if errand.id not in self._running]
        for errand in left:
            self._launch(errand)
        return len(left)

    async def close(self, seconds: float) -> None:
        """Let errands end for so long; the others are gone on with by the next process."""
        running = set(self._running.values())
        if running:
            _, late = await asyncio.wait(running, timeout=seconds)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    def _launch(self, errand: Errand) -> None:
        task = asyncio.create_task(self._carried(errand), name=f"errand {errand.id}")
        self._running[errand.id] = task
        task.add_done_callback(lambda _: self._forget(errand.id))

    def _forget(self, errand_key: str) -> None:
        self._running.pop(errand_key, None)
        self._stopped.discard(errand_key)

    async def _carried(self, errand: Errand) -> None:
        progress = Progress(self._bot, errand.chat_id, errand.message_id)
        try:
            await self._carry(errand, progress)
        except asyncio.CancelledError:
            if errand.id not in self._stopped:
                raise  # the process ends: the next one goes on
            await self._ended(errand, progress, texts.stopped())
        except TelegramForbiddenError:
            await self._ledger.end(errand)  # the person has blocked the bot
        except MedaiError as error:
            await self._ended(errand, progress, texts.refusal(error.message))
        except AiogramError as error:
            # What was sent may have arrived: nothing is repeated.
            _log.warning("errand failed", kind=errand.kind, error=type(error).__name__)
            await self._ended(errand, progress, texts.trouble())
        except Exception:  # noqa: BLE001 - nobody awaits an errand: it must not end unseen
            _log.exception("errand failed", kind=errand.kind)
            await self._ended(errand, progress, texts.trouble())
        else:
            await self._ledger.end(errand)

    async def _carry(self, errand: Errand, progress: Progress) -> None:
        async def look() -> Seat:
            return await self._seats.of_person(self._members, errand.chat_id, errand.client_id)

        seat = await look()
        task = Task(errand, seat, self._bot, progress, self._ledger, look)
        await self._carriers[errand.kind](task)

    async def _ended(self, errand: Errand, progress: Progress, words: str) -> None:
        try:
            await self._ledger.end(errand)
            await progress.end(Screen(words, keyboards.board(keyboards.home())))
        except (MedaiError, AiogramError) as error:
            _log.warning("the end of an errand was not shown", error=type(error).__name__)
