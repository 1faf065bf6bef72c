"""Writing an archive: whole or not at all, readable by its owner only."""

import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from medai.errors import InvalidInputError

_MOMENT = (1980, 1, 1, 0, 0, 0)
"""Of entries: the archive's own moment stands in its manifest."""
_OWNER_ONLY = 0o600 << 16
_DRAFT = ".part"


class ArchiveWriter:
    """Entries one after another."""

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive

    @contextmanager
    def entry(self, name: str, *, packed: bool = True) -> Iterator[IO[bytes]]:
        """Write an entry of any length."""
        told = ZipInfo(name, _MOMENT)
        told.compress_type = ZIP_DEFLATED if packed else ZIP_STORED
        told.external_attr = _OWNER_ONLY
        with self._archive.open(told, "w", force_zip64=True) as entry:
            yield entry


@contextmanager
def new_archive(target: Path) -> Iterator[Path]:
    """A draft beside the target that takes its place when everything went well.

    Raises InvalidInputError when the place cannot be written.
    """
    with _place_errors(target):
        _forget_dead_drafts(target)
        handle, name = tempfile.mkstemp(
            prefix=f".{target.name}.", suffix=".part", dir=target.parent
        )
    draft = Path(name)  # mkstemp made it for its owner only
    try:
        with os.fdopen(handle, "rb+") as held, _place_errors(target):
            fcntl.flock(held, fcntl.LOCK_EX)
            yield draft
            os.fsync(held.fileno())
            draft.replace(target)
            _sync_folder(target.parent)
    finally:
        with suppress(OSError):
            draft.unlink()


@contextmanager
def writing(draft: Path) -> Iterator[ArchiveWriter]:
    """Write the entries of a draft."""
    with ZipFile(draft, "w", allowZip64=True) as archive:
        yield ArchiveWriter(archive)


def _forget_dead_drafts(target: Path) -> None:
    """A killed export leaves a draft with patients' words; a living one holds its lock."""
    for draft in target.parent.glob(f".{target.name}.*{_DRAFT}"):
        with suppress(OSError), draft.open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            draft.unlink()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _place_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "на диске нет места" if full else "проверьте папку и права"
        raise InvalidInputError(f"Архив {target} не записывается: {reason}") from error
