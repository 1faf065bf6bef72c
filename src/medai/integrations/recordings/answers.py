"""Judging what a recording server answered: audio, "not yet", or "never" (amocrm.md 11.2)."""

from http import HTTPStatus

from medai.errors import RecordingError

MIN_BYTES = 1000
"""Less cannot be speech; providers send short stubs instead of an error (contract 5.2)."""

_GOOD = {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}
_NEVER = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_TEXT_TYPES = ("text/", "application/json", "application/xml", "application/xhtml")
_TEXT_STARTS = (b"<", b"{", b"[")


def check_status(status: int) -> None:
    """Raises RecordingError unless the status promises content.

    Only 400 ("no files"), 404 and 410 are final: a refusal may depend on the address we ask from.
    """
    if status in _GOOD:
        return
    if status in _NEVER:
        raise RecordingError(
            f"Сервер записей ответил {status}: записи нет или срок её хранения истёк", final=True
        )
    raise RecordingError(f"Сервер записей ответил {status}: попытка будет повторена", final=False)


def check_body(data: bytes, content_type: str) -> None:
    """Raises RecordingError (not final) for pages, JSON and stubs: the recording is not ready."""
    start = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    kind = content_type.lower()
    if len(data) < MIN_BYTES or kind.startswith(_TEXT_TYPES) or start.startswith(_TEXT_STARTS):
        raise RecordingError(
            "Вместо записи пришла страница или пустой файл: запись ещё не готова, "
            "попытка будет повторена",
            final=False,
        )
