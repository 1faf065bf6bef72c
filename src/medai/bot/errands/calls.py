"""Errands of the calls' flow: a day from the CRM, a transcript, an analysis."""

from datetime import date

from medai.bot.errands.runner import Task
from medai.bot.handlers import views
from medai.bot.screens import Screen
from medai.bot.texts import calls as texts
from medai.calls.models import Call
from medai.processing.waiting import Ending, Waited

_PATIENCE_SECONDS = 300
"""As long as the replaced bot waited for a transcript (contract 9)."""
_LOOK_SECONDS = 0.5


async def read_day(task: Task) -> None:
    """The day's calls from the CRM, then its leads."""
    day = date.fromisoformat(task.errand.args[0])

    async def tell() -> bool:
        if task.progress.is_due:
            found = len(await (await task.look()).calls_of(day))
            await task.progress.tell(texts.reading(day, found, task.progress.seconds))
        return False

    waited = await task.seat.read_day(day, tell)
    seat = await task.look()
    await task.progress.end(await views.leads(seat, day, 0, notice=_notice(waited)))


async def transcribe(task: Task) -> None:
    """Wait for the transcript that was asked for, then show the call."""

    async def tell(_: Call) -> None:
        await task.tell(texts.transcribing(task.progress.seconds))

    call = await task.seat.transcribed(task.errand.args[0], _PATIENCE_SECONDS, tell)
    seat = await task.look()
    screen = await views.card(seat, call.id)
    goes_on = call.transcript is None and not call.failures
    text = f"{texts.goes_on()}\n\n{screen.text}" if goes_on else screen.text
    await task.progress.end(Screen(text, screen.buttons))


async def analyse(task: Task) -> None:
    """Wait for the analysis, then show it."""
    call_id = task.errand.args[0]

    async def tell(_: Call) -> None:
        await task.tell(texts.analysing(task.progress.seconds))

    waited = await task.seat.analysed(call_id, _PATIENCE_SECONDS, tell)
    seat = await task.look()
    if waited.failure or waited.call.analysis is None or not waited.is_over:
        words = texts.reading_failed(waited.failure.message) if waited.failure else texts.goes_on()
        screen = await views.card(seat, call_id)
        await task.progress.end(Screen(f"{words}\n\n{screen.text}", screen.buttons))
        return
    first, *others = await views.analysis(seat, call_id)
    await task.progress.end(first)
    for place, screen in enumerate(others):
        await task.look()
        if await task.ledger.delivers(task.errand, f"page {place}"):
            await task.bot.send_message(task.chat_id, screen.text, reply_markup=screen.buttons)


def _notice(waited: Waited) -> str:
    run = waited.runs[0]
    if waited.ending is Ending.NO_WORKER:
        return texts.no_worker()
    failed = run.error or run.trouble
    if failed:
        return texts.reading_failed(failed)
    return "" if waited.ending is Ending.ENDED else texts.still_reading()
