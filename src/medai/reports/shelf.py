"""Made reports, kept as long as they would come out the same."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from weakref import WeakValueDictionary

from medai import __version__
from medai.errors import NotFoundError
from medai.infra.files import Files
from medai.reports.models import ReportContent
from medai.reports.people.models import PeopleContent

_SEAL = ".sha256"
_TOOLS = ("typst", "fontpkg-inter", "XlsxWriter")


class Shelf:
    """The store's report files. A file is made again only when its content or our code changed.

    Beside each file lies a seal: the digests of what it was made from and of its bytes. Both must
    hold, so a file of another writer, or of one that died in between, is never taken for ours.
    Requests for the same file wait for one making.
    """

    def __init__(self, store: Files) -> None:
        self._store = store
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def keep(
        self,
        name: str,
        content: ReportContent | PeopleContent,
        make: Callable[[], Awaitable[bytes]],
    ) -> None:
        """See that the file of this content lies under the name.

        Raises StoreError and what `make` raises; then nothing is changed.
        """
        digest = await asyncio.to_thread(content_digest, content)
        async with self._turns.setdefault(name, asyncio.Lock()):
            if await self._holds(name, digest):
                return
            made = await make()
            await self._store.write(name, made)
            await self._store.write(name + _SEAL, _seal(digest, made))

    async def _holds(self, name: str, digest: str) -> bool:
        try:
            seal = await self._store.read(name + _SEAL)
            return seal == _seal(digest, await self._store.read(name))
        except NotFoundError:
            return False


def content_digest(content: ReportContent | PeopleContent) -> str:
    """Equal for contents that differ in nothing but the moment they were made."""
    report = content.report if isinstance(content, PeopleContent) else content
    frame = replace(report, created_at=report.created_at.min, advice=())
    digest = hashlib.sha256(_code().encode())
    for part in (frame, *_parts(report, content)):
        digest.update(repr(part).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _parts(report: ReportContent, content: ReportContent | PeopleContent) -> Iterator[object]:
    """Piece by piece: the text of 50,000 recommendations at once would be 100 MB."""
    for person in report.advice:
        yield person.name, person.clinic
        yield from person.calls
    if isinstance(content, PeopleContent):
        yield from content.profiles


def _seal(digest: str, made: bytes) -> bytes:
    return f"{digest} {hashlib.sha256(made).hexdigest()}\n".encode()


@cache
def _code() -> str:
    """A digest of this package and the tools that draw: another layout makes another file."""
    tools = (f"{tool} {version(tool)}" for tool in _TOOLS)
    digest = hashlib.sha256(f"{__version__} {' '.join(tools)}".encode())
    for source in _sources(files("medai.reports")):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _sources(folder: Traversable) -> list[Traversable]:
    found: list[Traversable] = []
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir() and entry.name != "__pycache__":
            found += _sources(entry)
        elif entry.name.endswith((".py", ".typ")):
            found.append(entry)
    return found
