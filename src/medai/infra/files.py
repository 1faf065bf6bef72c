"""The file port: audio, raw provider answers and reports, in a folder or an S3-like store."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol


class Files(Protocol):
    """Named byte objects. Names are relative paths of plain segments ("audio/ab12.mp3").

    Every method raises InvalidInputError for a name with "..", an empty segment, a backslash or a
    leading slash, NotFoundError for a missing object and StoreError when the store fails.
    """

    async def write(self, name: str, data: bytes) -> None:
        """Store whole content under the name, replacing it atomically."""

    async def read(self, name: str) -> bytes:
        """The whole content."""

    def stream(self, name: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` to before `end` (None: to the last) in chunks.

        The caller knows the size: the part lies inside the content and is not empty.
        """

    async def exists(self, name: str) -> bool:
        """Whether the object is there."""

    async def size(self, name: str) -> int:
        """Length in bytes."""

    def names(self, prefix: str) -> AsyncIterator[tuple[str, datetime]]:
        """(name, last modification in UTC) of the objects below a folder."""

    async def delete(self, name: str) -> None:
        """Remove the object; a missing one is no error."""
