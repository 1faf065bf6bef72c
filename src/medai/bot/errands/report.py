"""The errand of a report: a picture, then the files (contract 9)."""

from collections.abc import Sequence
from datetime import date

from aiogram.exceptions import TelegramEntityTooLarge
from aiogram.types import BufferedInputFile

from medai.bot.errands.runner import Task
from medai.bot.handlers.card import LARGEST_UPLOAD
from medai.bot.keyboards import reports as keyboards
from medai.bot.screens import Screen
from medai.bot.texts import reports as texts
from medai.errors import ConflictError
from medai.kit.days import DayRange
from medai.processing.seats import ReportFile, Seat

_TITLES = (texts.REPORT_FILE, texts.REPORT_FILE, texts.PEOPLE_FILE)
_LINKS = (texts.OPEN_PDF, texts.OPEN_EXCEL, texts.OPEN_PEOPLE)
"""Of the files in the order in which a seat makes them."""


async def make_report(task: Task) -> None:
    """Make it and send it. Raises NotFoundError for days without analysed calls, ConflictError
    when the person's role changed meanwhile: what was made is not theirs to see."""
    first, last, *names = task.errand.args
    days = DayRange(date.fromisoformat(first), date.fromisoformat(last))
    only = task.seat.report_only(names)
    own = task.seat.own_administrator is not None
    made = await task.during(task.seat.make_reports(days, only), _counting)
    picture = await task.during(task.seat.report_chart(days, only), _counting)

    async def look() -> Seat:
        seat = await task.look()
        if seat.report_only(names) != only:
            raise ConflictError(texts.role_changed())
        return seat

    await look()
    await task.tell(texts.making(texts.SENDING, task.progress.seconds))
    if await task.ledger.delivers(task.errand, "chart"):
        caption = texts.chart_caption(days, names, own=own)
        await task.bot.send_photo(
            task.chat_id, BufferedInputFile(picture, "chart.png"), caption=caption
        )
    # Telegram may ask to wait between two files.
    large = [
        file
        for title, file in zip(_TITLES, made, strict=False)
        if not await _sent(task, await look(), file, days, title)
    ]
    text = texts.ready(days, names, own=own, large=len(large)) + _in_words(made, large)
    await look()
    await task.progress.end(Screen(text, keyboards.links(made)))


def _counting(seconds: int) -> str:
    return texts.making(texts.COUNTING, seconds)


async def _sent(task: Task, seat: Seat, file: ReportFile, days: DayRange, title: str) -> bool:
    """Send a file as a document; False when Telegram does not take such a large one."""
    if file.size > LARGEST_UPLOAD:
        return False
    if not await task.ledger.delivers(task.errand, file.name):
        return True
    name = texts.file_name(title, seat.clinic.name, days, file.name)
    document = BufferedInputFile(await seat.report_bytes(file), name)
    caption = texts.caption(seat.clinic.name, days)
    try:
        await task.bot.send_document(task.chat_id, document, caption=caption)
    except TelegramEntityTooLarge:
        return False
    return True


def _in_words(made: Sequence[ReportFile], large: Sequence[ReportFile]) -> str:
    """Links in the text, for those that Telegram takes no buttons for."""
    labelled = zip(_LINKS, made, strict=False)
    return "".join(texts.link(label, file.url) for label, file in labelled if file in large)
