"""One message that shows how far an errand is."""

from time import monotonic

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramBadRequest, TelegramForbiddenError

from medai.bot.keyboards import common as keyboards
from medai.bot.screens import Screen

_log = structlog.get_logger(__name__)

_PAUSE_SECONDS = 2.0
"""Between two changes: a chat takes one message a second, and people read slower."""


class Progress:
    """Changes the message, seldom enough; a message that is gone or the same is no error."""

    def __init__(self, bot: Bot, chat_id: int, message_id: int) -> None:
        self._bot = bot
        self._chat_id = chat_id
        self._message_id = message_id
        self._shown_at = monotonic()
        self._started = monotonic()

    @property
    def seconds(self) -> int:
        """How long it takes already."""
        return int(monotonic() - self._started)

    @property
    def is_due(self) -> bool:
        """Whether the last telling is so long ago that people want another."""
        return monotonic() - self._shown_at >= _PAUSE_SECONDS

    async def tell(self, text: str) -> None:
        """Show how far it is, with a button to stop. Raises TelegramForbiddenError alone: work
        that people wait for does not end because its progress could not be shown."""
        self._shown_at = monotonic()
        try:
            await self._change(Screen(text, keyboards.stop()))
        except TelegramForbiddenError:
            raise
        except AiogramError as error:
            _log.info("progress was not shown", error=type(error).__name__)

    async def end(self, screen: Screen) -> None:
        """Show how it ended; in a message of its own where the first one is gone."""
        if not await self._change(screen):
            await self._bot.send_message(self._chat_id, screen.text, reply_markup=screen.buttons)

    async def _change(self, screen: Screen) -> bool:
        try:
            await self._bot.edit_message_text(
                screen.text,
                chat_id=self._chat_id,
                message_id=self._message_id,
                reply_markup=screen.buttons,
            )
        except TelegramBadRequest as error:
            return "message is not modified" in error.message
        return True
