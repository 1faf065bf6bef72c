"""Log files and reports of commands: one flat folder, shown to people through the API."""

import asyncio
import re
from pathlib import Path

from medai.errors import InvalidInputError, NotFoundError, StoreError

_FOLDER = "logs"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
MOST_NAMES = 1000
LARGEST_BYTES = 5 * 1024 * 1024
"""Of a longer file its end is shown: that is where the news is."""


class LogFiles:
    """Files of `<data dir>/logs`; nothing outside, no folders, no symbolic links."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / _FOLDER

    async def names(self) -> list[str]:
        """The newest thousand by name, in descending order (names begin with what they are and
        go on with a date). Raises StoreError."""
        return await asyncio.to_thread(self._names)

    async def read(self, name: str) -> str:
        """The text, of a long file its last five megabytes. Raises NotFoundError, StoreError."""
        return await asyncio.to_thread(self._read, name)

    def write(self, name: str, text: str) -> Path:
        """Store a file. Raises InvalidInputError for a bad name, StoreError."""
        if not _NAME.fullmatch(name):
            raise InvalidInputError("Имя файла журнала: латиница, цифры, точка, дефис")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / name
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise _refused() from error
        return path

    def _names(self) -> list[str]:
        try:
            found = [path.name for path in self._folder.iterdir() if _is_shown(path)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _refused() from error
        return sorted(found, reverse=True)[:MOST_NAMES]

    def _read(self, name: str) -> str:
        path = self._folder / name
        try:
            if not _NAME.fullmatch(name) or not _is_shown(path):
                raise NotFoundError("Файл журнала не найден: обновите список")
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - LARGEST_BYTES))
                return file.read(LARGEST_BYTES).decode(errors="replace")
        except OSError as error:
            raise _refused() from error


def _is_shown(path: Path) -> bool:
    return bool(_NAME.fullmatch(path.name)) and path.is_file() and not path.is_symlink()


def _refused() -> StoreError:
    return StoreError("Папка журналов недоступна: проверьте место на диске и права")
