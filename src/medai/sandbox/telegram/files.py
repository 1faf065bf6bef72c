"""Methods that carry files."""

from typing import Any

from medai.sandbox.telegram.arguments import Arguments, Upload
from medai.sandbox.telegram.bot import Bot
from medai.sandbox.telegram.chats import Message, StoredFile
from medai.sandbox.telegram.errors import RefusedError, bad
from medai.sandbox.telegram.sending import LONGEST_CAPTION, captioned, chat_of, put

_MEGABYTE = 1024 * 1024
LARGEST_DOWNLOAD = 20 * _MEGABYTE
_LARGEST = {"document": 50 * _MEGABYTE, "audio": 50 * _MEGABYTE, "photo": 10 * _MEGABYTE}
_IMAGES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF")


async def send_document(bot: Bot, arguments: Arguments) -> Message:
    """sendDocument."""
    return _send(bot, arguments, "document", "sendDocument")


async def send_audio(bot: Bot, arguments: Arguments) -> Message:
    """sendAudio."""
    return _send(bot, arguments, "audio", "sendAudio")


async def send_photo(bot: Bot, arguments: Arguments) -> Message:
    """sendPhoto."""
    return _send(bot, arguments, "photo", "sendPhoto")


async def get_file(bot: Bot, arguments: Arguments) -> dict[str, Any]:
    """getFile: at most 20 MB."""
    file = bot.chats.files.get(arguments.text("file_id") or "")
    if file is None:
        raise bad("invalid file_id")
    if len(file.content) > LARGEST_DOWNLOAD:
        raise bad("file is too big")
    return {**file.api, "file_path": file.path}


def described(kind: str, file: StoredFile) -> dict[str, Any]:
    """The file as a field of a message."""
    if kind == "photo":
        return {"photo": [{**file.api, "width": 800, "height": 600}]}
    named = {**file.api, "file_name": file.name, "mime_type": file.content_type}
    return {kind: {**named, "duration": 0} if kind == "audio" else named}


def _send(bot: Bot, arguments: Arguments, kind: str, method: str) -> Message:
    chat = chat_of(bot, arguments)
    caption = captioned(arguments, "caption", LONGEST_CAPTION)
    file = _file(bot, arguments, kind)
    return put(bot, chat, method, arguments, {**described(kind, file), **caption})


def _file(bot: Bot, arguments: Arguments, kind: str) -> StoredFile:
    """A new upload, or a known file by its id."""
    named = arguments.text(kind) or ""
    upload = arguments.uploads.get(named.removeprefix("attach://") or kind)
    upload = upload or arguments.uploads.get(kind)
    if upload is None:
        known = bot.chats.files.get(named)
        if known is None:
            raise bad("wrong remote file identifier specified: can't unserialize it")
        return known
    _check(upload, kind)
    return bot.chats.keep_file(upload.name, upload.content, upload.content_type)


def _check(upload: Upload, kind: str) -> None:
    if not upload.content:
        raise bad("file must be non-empty")
    if len(upload.content) > _LARGEST[kind]:
        raise RefusedError(413)
    if kind == "photo" and not upload.content.startswith(_IMAGES):
        raise bad("IMAGE_PROCESS_FAILED")
