"""A call's card and what can be done with it (contract 9)."""

from aiogram import F, Router
from aiogram.exceptions import TelegramEntityTooLarge
from aiogram.types import BufferedInputFile, CallbackQuery
from aiogram.utils.chat_action import ChatActionSender

from medai.bot import screens
from medai.bot.callbacks import Act, CallAt
from medai.bot.errands.ledger import ErrandKind
from medai.bot.errands.runner import Errands
from medai.bot.handlers import views
from medai.bot.keyboards import calls as keyboards
from medai.bot.texts import calls as texts
from medai.bot.texts import common
from medai.processing.seats import Seat
from medai.transcription.formats import offered_name

LARGEST_UPLOAD = 45 * 1024 * 1024
"""Telegram takes 50 MB (telegram.md 5); the rest is for the form around it."""
_PLAYED = ("mp3", "m4a")
"""What Telegram plays (sendAudio); other recordings are sent as documents."""


def router() -> Router:
    """Handlers of cards."""
    made = Router(name="card")
    made.callback_query(CallAt.filter(F.act == Act.SHOW))(show)
    made.callback_query(CallAt.filter(F.act == Act.TRANSCRIBE))(transcribe)
    made.callback_query(CallAt.filter(F.act == Act.TEXT))(transcript)
    made.callback_query(CallAt.filter(F.act == Act.ANALYSE))(analyse)
    made.callback_query(CallAt.filter(F.act == Act.RECORDING))(recording)
    return made


async def show(query: CallbackQuery, callback_data: CallAt, seat: Seat) -> None:
    """The card."""
    await screens.show(query, await views.card(seat, callback_data.call))


async def transcribe(
    query: CallbackQuery, callback_data: CallAt, seat: Seat, errands: Errands
) -> None:
    """Ask for a transcript and watch it being made."""
    if errands.is_busy(ErrandKind.TRANSCRIPT, seat.member.telegram_id):
        await screens.answer(query, common.BUSY)
        return
    asked = await seat.transcribe(callback_data.call)
    if not asked.queued:
        await screens.show(query, await views.card(seat, callback_data.call))
        return
    args = (callback_data.call,)
    await errands.start(seat, ErrandKind.TRANSCRIPT, args, texts.transcribing(0))
    await screens.answer(query)


async def transcript(query: CallbackQuery, callback_data: CallAt, seat: Seat) -> None:
    """The transcript as a document."""
    call, text = await seat.transcript(callback_data.call)
    await screens.answer(query)
    if query.bot is None:
        return
    name = offered_name(call.transcript.filename) if call.transcript else f"{call.id}.txt"
    await query.bot.send_document(
        query.from_user.id,
        BufferedInputFile(text.encode(), name),
        caption=texts.transcript_caption(call, seat.zone),
        reply_markup=keyboards.back_to_call(call),
    )


async def analyse(
    query: CallbackQuery, callback_data: CallAt, seat: Seat, errands: Errands
) -> None:
    """The analysis; asked for unless it is there."""
    call = await seat.call(callback_data.call)
    if call.analysis is None:
        args = (callback_data.call,)
        begun = await errands.start(seat, ErrandKind.ANALYSIS, args, texts.analysing(0))
        await screens.answer(query, None if begun else common.BUSY)
        return
    first, *others = await views.analysis(seat, callback_data.call)
    await screens.show(query, first)
    for screen in others:
        if query.bot is not None:
            await screens.send(query.bot, query.from_user.id, screen.text, screen.buttons)


async def recording(query: CallbackQuery, callback_data: CallAt, seat: Seat) -> None:
    """The recording to listen to, or a link to it when it is too large."""
    call, sound = await seat.recording(callback_data.call, at_most=LARGEST_UPLOAD)
    await screens.answer(query)
    bot, chat, buttons = query.bot, query.from_user.id, keyboards.back_to_call(call)
    if bot is None or call.audio is None:
        return
    too_large = texts.too_large(seat.recording_url(call))
    if sound is None:
        await screens.send(bot, chat, too_large, buttons)
        return
    stored = call.audio.file.rpartition("/")[2]
    file = BufferedInputFile(sound, f"call_{call.id}.{stored.rpartition('.')[2]}")
    caption = texts.recording_caption(call, seat.zone)
    send = bot.send_audio if stored.endswith(_PLAYED) else bot.send_document
    try:
        async with ChatActionSender.upload_document(bot=bot, chat_id=chat):
            await send(chat, file, caption=caption, reply_markup=buttons)
    except TelegramEntityTooLarge:
        await screens.send(bot, chat, too_large, buttons)
