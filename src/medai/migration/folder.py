"""The old `app/data` folder (contract 2.3): read only, and never outside of it."""

from collections.abc import Iterator
from pathlib import Path

FOLDERS = {
    "audio": ("audio",),
    "transcript": ("transcription", "transcriptions"),
    "analysis": ("analysis",),
    "report": ("reports", "admin_reports"),
}
_LONGEST_NAME = 120
MEGABYTE = 1024 * 1024


class OldFolder:
    """Files by kind and base name. Names come from documents of others: one that would lead out
    of its folder, directly or by a link, is as if it were not there."""

    def __init__(self, root: Path) -> None:
        self._root = root.expanduser().resolve()

    def exists(self) -> bool:
        """Whether there is any of the old folders."""
        return any((self._root / name).is_dir() for names in FOLDERS.values() for name in names)

    def find(self, kind: str, name: str) -> Path | None:
        """The file, or None."""
        if not is_base_name(name):
            return None
        for folder in FOLDERS[kind]:
            path = (self._root / folder / name).resolve()
            if path.parent == (self._root / folder).resolve() and path.is_file():
                return path
        return None

    def read(self, kind: str, name: str, most: int) -> bytes | None:
        """The content; None for a missing, unreadable or larger file."""
        path = self.find(kind, name)
        try:
            return path.read_bytes() if path and path.stat().st_size <= most else None
        except OSError:
            return None

    def names(self, kind: str) -> Iterator[str]:
        """Base names of the files there are, in order."""
        for folder in FOLDERS[kind]:
            path = self._root / folder
            if path.is_dir():
                yield from sorted(one.name for one in path.iterdir() if one.is_file())


def is_base_name(name: str) -> bool:
    """Whether the name is that of a plain file, without a way to it."""
    special = set("/\\\x00:") & set(name)
    return bool(name) and not special and not name.startswith(".") and len(name) <= _LONGEST_NAME
