"""Recordings of a world: made once, cached on disk, recognised by their hash."""

import asyncio
import hashlib
import multiprocessing
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from medai.sandbox.audio.maker import Maker, content_key
from medai.sandbox.world.models import Dialogue, World

Progress = Callable[[int, int], None]
"""Told how many recordings are ready and how many there are."""


class AudioStore:
    """The recordings behind the links of a world's calls.

    Files are named by content, so worlds and processes may share one `cache_dir`; half-written
    files are never seen. Not bound to an event loop.
    """

    def __init__(self, world: World, cache_dir: Path, maker: Maker) -> None:
        self._dialogues = {d.id: d for d in _dialogues(world)}
        self._dir = cache_dir
        self._maker = maker
        self._names_by_hash: dict[str, str] = {}
        self._hashed: set[str] = set()
        self._locks: dict[str, asyncio.Lock] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """All recordings of the world."""
        return tuple(self._dialogues)

    async def content(self, name: str) -> bytes | None:
        """The recording's bytes, made now if nobody did before; None for an unknown name."""
        dialogue = self._dialogues.get(name)
        if dialogue is None:
            return None
        async with self._locks.setdefault(name, asyncio.Lock()):
            content = await asyncio.to_thread(_ensured, self._maker, dialogue, self._path(dialogue))
        self._remember(name, content)
        return content

    def content_type(self, name: str) -> str | None:
        """The MIME type of a recording; None for an unknown name."""
        return self._maker.content_type if name in self._dialogues else None

    def dialogue_of(self, sha256: str) -> Dialogue | None:
        """The dialogue whose recording has this hash (hexadecimal), served or only cached."""
        if sha256 not in self._names_by_hash:
            self._hash_cached()
        name = self._names_by_hash.get(sha256)
        return None if name is None else self._dialogues[name]

    async def prepare(self, progress: Progress | None = None, *, processes: int = 2) -> None:
        """Make every recording that is not cached yet, on several processes."""
        missing = [d for d in self._dialogues.values() if not self._path(d).exists()]
        ready, total = len(self._dialogues) - len(missing), len(self._dialogues)
        if progress:
            progress(ready, total)
        if not missing:
            return
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(processes, mp_context=context) as pool:
            loop = asyncio.get_running_loop()
            tasks = [
                loop.run_in_executor(pool, _ensure, self._maker, d, self._path(d)) for d in missing
            ]
            for count, task in enumerate(asyncio.as_completed(tasks), start=ready + 1):
                await task
                if progress:
                    progress(count, total)

    def _path(self, dialogue: Dialogue) -> Path:
        return self._dir / content_key(self._maker, dialogue)

    def _remember(self, name: str, content: bytes) -> None:
        if name not in self._hashed:
            self._names_by_hash[hashlib.sha256(content).hexdigest()] = name
            self._hashed.add(name)

    def _hash_cached(self) -> None:
        for name, dialogue in self._dialogues.items():
            path = self._path(dialogue)
            if name not in self._hashed and path.exists():
                self._remember(name, path.read_bytes())


def _dialogues(world: World) -> Iterator[Dialogue]:
    for clinic in world.clinics:
        for call in clinic.calls:
            if call.dialogue is not None:
                yield call.dialogue


def _ensure(maker: Maker, dialogue: Dialogue, path: Path) -> None:
    _ensured(maker, dialogue, path)


def _ensured(maker: Maker, dialogue: Dialogue, path: Path) -> bytes:
    if path.exists():
        return path.read_bytes()
    content = maker.make(dialogue)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".making-", delete=False) as file:
        file.write(content)
    Path(file.name).replace(path)  # whole or absent: a reader never meets half a recording
    return content
