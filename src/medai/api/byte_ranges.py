"""Parts of files, as audio players ask for them when somebody moves the slider (RFC 9110, 14)."""

import re
from collections.abc import Mapping

from fastapi.responses import JSONResponse, Response, StreamingResponse

from medai.infra.files import Files

_ONE_RANGE = re.compile(r"bytes=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*", re.ASCII)
_BEYOND = {"detail": "Такой части у файла нет: запросите его с начала", "code": "invalid_input"}


async def file_answer(
    files: Files, name: str, *, media_type: str, headers: Mapping[str, str], asked: str | None
) -> Response:
    """The file, or the part of it that the header Range names: 200, 206 or 416.

    Raises NotFoundError, StoreError.
    """
    size = await files.size(name)
    part = byte_range(asked, size) if asked else None
    start, end = part or (0, size)
    given = {**headers, "Accept-Ranges": "bytes", "Content-Length": str(end - start)}
    if part is None:
        return StreamingResponse(files.stream(name), media_type=media_type, headers=given)
    if start >= end:
        return JSONResponse(_BEYOND, 416, {"Content-Range": f"bytes */{size}"})
    given["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    stream = files.stream(name, start=start, end=end)
    return StreamingResponse(stream, 206, given, media_type)


def byte_range(asked: str, size: int) -> tuple[int, int] | None:
    """[start, end) of the part; empty when the file has no such part.

    None for what may be ignored: several parts, other units, senseless ones.
    """
    found = _ONE_RANGE.fullmatch(asked.strip())
    if found is None or found[0].strip().endswith("=-"):
        return None
    first, last = found[1], found[2]
    if not first:
        return max(0, size - int(last)), size
    if last and int(last) < int(first):
        return None
    return int(first), min(size, int(last) + 1) if last else size
