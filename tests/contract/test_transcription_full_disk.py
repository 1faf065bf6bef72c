"""A full disk is found before money is spent, or the answer finds another place."""

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import stamina
from tests.fixtures.ledger import MemoryEffects
from tests.fixtures.transcription import MONO, MemoryFiles, ScriptedSpeech, SettableClock, make_call

from medai.errors import StoreError
from medai.infra.documents import Documents
from medai.infra.files import Files
from medai.infra.object_files import open_files
from medai.transcription.models import Recognition
from medai.transcription.repository import COLLECTIONS
from medai.transcription.service import TranscriptionService

AUDIO = b"sound of one call"
NO_ROOM = StoreError("На диске нет места")


@pytest.fixture(autouse=True)
def without_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
async def prepared(documents: Documents) -> Documents:
    await documents.prepare(COLLECTIONS)
    return documents


def worker(
    documents: Documents, files: Files, speech: ScriptedSpeech, effects: MemoryEffects | None = None
) -> TranscriptionService:
    return TranscriptionService(
        documents, files, speech, effects or MemoryEffects(), SettableClock(),
        repeats_after_lost_answer=0, lease=timedelta(minutes=7),
    )  # fmt: skip


async def test_a_full_disk_costs_nothing_and_is_no_lost_answer(prepared: Documents) -> None:
    files, speech, effects = MemoryFiles(), ScriptedSpeech(), MemoryEffects()
    files.room = 1000
    with pytest.raises(StoreError):
        await worker(prepared, files, speech, effects).transcribe(make_call(), AUDIO, MONO)
    assert (speech.requests, effects.states) == (0, [])
    files.room = None
    await worker(prepared, files, speech, effects).transcribe(make_call(), AUDIO, MONO)
    assert (speech.requests, effects.states) == (1, ["done"])


async def test_the_room_is_taken_while_the_request_is_under_way_and_given_back(
    prepared: Documents,
) -> None:
    files, speech = MemoryFiles(), ScriptedSpeech()
    taken: list[int] = []

    class Watching(ScriptedSpeech):
        async def recognise(self, audio: bytes, *, filename: str, channels: int) -> Recognition:
            taken.append(sum(map(len, files.stored.values())))
            return await speech.recognise(audio, filename=filename, channels=channels)

    await worker(prepared, files, Watching()).transcribe(make_call(), AUDIO, MONO)
    (answer,) = files.stored.values()
    assert taken[0] > 2 * len(answer)


async def test_an_answer_that_the_files_refuse_is_kept_in_the_documents(
    prepared: Documents,
) -> None:
    files, speech, effects = MemoryFiles(), ScriptedSpeech(), MemoryEffects()
    files.failures = [NO_ROOM] * 9
    made = await worker(prepared, files, speech, effects).transcribe(make_call(), AUDIO, MONO)
    assert (files.stored, effects.states) == ({}, ["done"])
    again = worker(prepared, files, speech, effects)
    assert await again.transcribe(make_call(), AUDIO, MONO) == made
    other = await again.transcribe(make_call(2), AUDIO, MONO)
    assert other.utterances == made.utterances
    assert speech.requests == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KB; skipped where mounting is not allowed."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=777", "medai-test", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)  # noqa: S603 - our own words
    except OSError:
        pytest.skip("no mount command here")
    if done.returncode:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)  # noqa: S603, S607 - our own words


async def test_a_real_full_disk(prepared: Documents, small_disk: Path) -> None:
    files, speech = open_files(small_disk, ""), ScriptedSpeech()
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 200 * 1024)
    with pytest.raises(StoreError, match="место на диске"):
        await worker(prepared, files, speech).transcribe(make_call(), AUDIO, MONO)
    assert speech.requests == 0
    filler.unlink()

    class Filling(ScriptedSpeech):
        """While the provider works, somebody else takes all the room that is left."""

        async def recognise(self, audio: bytes, *, filename: str, channels: int) -> Recognition:
            with pytest.raises(OSError, match="No space left"):
                filler.write_bytes(b"x" * 512 * 1024)
            return await speech.recognise(audio, filename=filename, channels=channels)

    made = await worker(prepared, files, Filling()).transcribe(make_call(), AUDIO, MONO)
    assert await worker(prepared, files, speech).transcribe(make_call(), AUDIO, MONO) == made
    assert speech.requests == 1
