"""The bot as a process: one for each token, updates by long polling, an orderly end."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramNotFound, TelegramUnauthorizedError

from medai.bootstrap import Application
from medai.bot.app import DRAIN_SECONDS, UPDATES, Messenger, open_messenger, require_token
from medai.bot.notices.delivery import deliver
from medai.errors import ProviderStoppedError, SettingsError, StoreError
from medai.infra.postgres import HeldLock, watched_lock

_log = structlog.get_logger(__name__)

_POLL_SECONDS = 25
_AT_ONCE = 100
"""Updates in work at a time."""
_FORGET_SECONDS = 3600.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 30.0
_LOCK_PATIENCE_SECONDS = 1.0

_REFUSED = "Telegram отверг токен бота: проверьте BOT_TOKEN"
_REFUSED_SECONDS = 300.0

Say = Callable[[str], None]
"""Tells a person one line."""
Companion = Callable[[Application, Bot], Awaitable[None]]
"""Work beside the dialogues for as long as the bot runs, for example the delivery of notices."""

COMPANIONS: Sequence[Companion] = (deliver,)


async def run_bot(application: Application, say: Say, *, patient: bool = False) -> None:
    """Answer people until cancelled; then what runs may end.

    Waits while another process holds the token. Raises SettingsError for a malformed token,
    ProviderStoppedError for one that Telegram refuses (`patient`: it is asked again), StoreError
    when the store is away at the start.
    """
    require_polling(application)

    async def answer(messenger: Messenger, lock: HeldLock) -> None:
        await greeted(messenger, without_webhook, patient=patient)
        async with at_work(messenger):
            await polled_while_held(messenger, lock)

    await lead(application, say, answer)


Work = Callable[[Messenger, HeldLock], Awaitable[None]]
"""What the process that holds the token does until the lock is lost."""


async def lead(application: Application, say: Say, work: Work, *, patient: bool = False) -> None:
    """Hold the token and work; begin anew when the lock was lost (a restarted PostgreSQL).

    Ends by cancellation. Raises SettingsError for a malformed token, StoreError at the start
    (`patient`: the store is waited for then too), and what the work raises.
    """
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            async with (
                one_of_a_kind(application, say) as lock,
                open_messenger(application) as messenger,
            ):
                patient, pause = True, _FIRST_PAUSE_SECONDS
                await work(messenger, lock)
            _log.warning("the lock of the bot's token was lost and is taken anew")
        except StoreError as error:
            if not patient:
                raise
            _log.warning("the bot waits for the store", code=error.code, pause=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


async def polled_while_held(
    messenger: Messenger, lock: HeldLock, *, poll_seconds: int = _POLL_SECONDS
) -> None:
    """Long polling until the lock is lost: then errands end here, for whoever holds it now goes
    on with them."""
    lost = asyncio.create_task(lock.lost())
    polling = asyncio.create_task(polled(messenger, poll_seconds=poll_seconds))
    try:
        await asyncio.wait({lost, polling}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (lost, polling):
            task.cancel()
        await asyncio.gather(lost, polling, return_exceptions=True)
    if not polling.cancelled():
        polling.result()
    await messenger.errands.close(0)


def require_polling(application: Application) -> None:
    """Raises SettingsError when the bot lives in the API process (webhook)."""
    if application.settings.telegram_webhook_url:
        raise SettingsError(
            "Задан TELEGRAM_WEBHOOK_URL: бота ведёт процесс API (medai run или medai api)"
        )


async def polled(messenger: Messenger, *, poll_seconds: int = _POLL_SECONDS) -> None:
    """Long polling until cancelled; handlers under way are left to `at_work`."""
    polling = asyncio.create_task(
        messenger.dispatcher.start_polling(
            messenger.bot,
            polling_timeout=poll_seconds,
            allowed_updates=UPDATES,
            tasks_concurrency_limit=_AT_ONCE,
            handle_signals=False,
            close_bot_session=False,
        )
    )
    try:
        await asyncio.shield(polling)
    except asyncio.CancelledError:
        if not polling.done():
            await messenger.dispatcher.stop_polling()
            await polling
        raise


@asynccontextmanager
async def at_work(
    messenger: Messenger,
    *,
    drain_seconds: float = DRAIN_SECONDS,
    companions: Sequence[Companion] = COMPANIONS,
) -> AsyncIterator[None]:
    """What runs beside the updates; at the end whatever was begun may end."""
    resumed = await messenger.errands.resume()
    if resumed:
        _log.info("errands of an earlier process go on", count=resumed)
    beside = [asyncio.create_task(_forgetting(messenger))]
    beside += [
        asyncio.ensure_future(companion(messenger.application, messenger.bot))
        for companion in companions
    ]
    try:
        yield
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await messenger.drain(drain_seconds)


Preparation = Callable[[Bot], Awaitable[object]]
"""How updates are to come."""


async def without_webhook(bot: Bot) -> None:
    """Long polling: an old webhook would refuse it. What waits is kept (telegram.md 6)."""
    await bot.delete_webhook(drop_pending_updates=False)


async def greeted(messenger: Messenger, prepare: Preparation, *, patient: bool = False) -> None:
    """Return once Telegram knows the bot and how its updates are to come.

    Raises ProviderStoppedError for a refused token, unless `patient`.
    """
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            me = await messenger.bot.get_me()
            await prepare(messenger.bot)
            await messenger.introduce()
        except (TelegramUnauthorizedError, TelegramNotFound):
            if not patient:
                raise ProviderStoppedError("telegram", _REFUSED) from None
            _log.error(_REFUSED)
            await asyncio.sleep(_REFUSED_SECONDS)
        except AiogramError as error:
            _log.warning("telegram does not answer", error=type(error).__name__, pause=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        else:
            _log.info("the bot is at work", username=me.username)
            return


@asynccontextmanager
async def one_of_a_kind(application: Application, say: Say) -> AsyncIterator[HeldLock]:
    """One process for each token: a second poller would take the first one's updates.

    Raises SettingsError for a token that is none, StoreError.
    """
    token = require_token(application.settings)
    key = f"telegram-bot:{hashlib.sha256(token.encode()).hexdigest()[:16]}"
    lock = watched_lock(application.pool, key)
    taking = asyncio.ensure_future(lock.__aenter__())
    try:
        done, _ = await asyncio.wait({taking}, timeout=_LOCK_PATIENCE_SECONDS)
        if not done:
            say("Этого бота уже ведёт другой процесс: жду, пока он закончит")
        held = await taking
    except BaseException:
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)
        raise
    try:
        yield held
    finally:
        await lock.__aexit__(None, None, None)


async def _forgetting(messenger: Messenger) -> None:
    while True:
        try:
            await messenger.forget()
        except StoreError as error:
            _log.warning("old dialogues were not forgotten", error=error.message)
        await asyncio.sleep(_FORGET_SECONDS)
