"""Writing one notice, and what became of it when Telegram did not say "done"."""

import httpx2
from aiogram import Bot
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
)
from aiogram.types import BufferedInputFile

from medai.bot.notices.posts import Post

_NOT_CONNECTED = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


class AwayError(Exception):
    """Nothing was written for certain, and others would fare the same: try again later.

    `seconds` is how long Telegram asks to wait, 0 when it does not say.
    """

    def __init__(self, reason: str, seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.seconds = seconds


class RefusedError(Exception):
    """This chat takes no message: blocked, gone, or the message itself is not accepted."""


class UnknownError(Exception):
    """The answer was lost: the message may be there."""


async def write(bot: Bot, chat_id: int, post: Post) -> int:
    """Send the notice; returns the message's id. Raises the errors above."""
    try:
        if post.picture:
            picture = BufferedInputFile(post.picture, "chart.png")
            sent = await bot.send_photo(
                chat_id, picture, caption=post.text, reply_markup=post.buttons
            )
        else:
            sent = await bot.send_message(chat_id, post.text, reply_markup=post.buttons)
    except TelegramAPIError as error:
        raise _told(error) from error
    except ClientDecodeError as error:  # no answer of Telegram's
        raise UnknownError(type(error).__name__) from error
    return sent.message_id


async def rewrite(bot: Bot, chat_id: int, message_id: int, post: Post) -> None:
    """Put the notice in place of an earlier one; a message that is gone stays gone.

    Raises AwayError; whatever else happens, the message is as good as it gets.
    """
    try:
        await bot.edit_message_text(
            post.text, chat_id=chat_id, message_id=message_id, reply_markup=post.buttons
        )
    except (TelegramBadRequest, TelegramForbiddenError, TelegramNotFound):
        return
    except (TelegramAPIError, ClientDecodeError) as error:
        # Editing twice shows the same, so even a lost answer is repeated.
        raise AwayError(type(error).__name__) from error


def _told(error: TelegramAPIError) -> Exception:
    if isinstance(error, TelegramRetryAfter):
        return AwayError(type(error).__name__, error.retry_after)
    if isinstance(error, TelegramNetworkError):
        connected = not isinstance(error.__context__, _NOT_CONNECTED)
        name = type(error).__name__
        return UnknownError(name) if connected else AwayError(name)
    if isinstance(error, TelegramBadRequest | TelegramForbiddenError | TelegramNotFound):
        return RefusedError(type(error).__name__)
    return AwayError(type(error).__name__)
