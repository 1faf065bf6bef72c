"""The file port on a local folder."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from medai.errors import InvalidInputError, NotFoundError, SettingsError, StoreError
from medai.infra.files import Files
from medai.infra.object_files import ObjectFiles, open_files


@pytest.fixture(params=["folder", "memory"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    """A local folder, and an object store without folders as S3 is."""
    return open_files(tmp_path, "") if request.param == "folder" else ObjectFiles(MemoryStore())


async def test_content_comes_back_whole_and_in_chunks(files: Files) -> None:
    data = bytes(range(256)) * 5000
    await files.write("audio/звонок 1.mp3", data)
    assert await files.read("audio/звонок 1.mp3") == data
    chunks = [chunk async for chunk in files.stream("audio/звонок 1.mp3")]
    assert b"".join(chunks) == data
    assert all(type(chunk) is bytes for chunk in chunks)
    assert await files.size("audio/звонок 1.mp3") == len(data)


async def test_a_part_is_streamed_alone(files: Files) -> None:
    data = bytes(range(256)) * 5000
    await files.write("a", data)
    for start, end in ((0, 1), (0, None), (7, 300_001), (len(data) - 1, None), (3, len(data))):
        part = b"".join([chunk async for chunk in files.stream("a", start=start, end=end)])
        assert part == data[start:end]


async def test_a_name_is_replaced(files: Files) -> None:
    await files.write("a", b"first")
    await files.write("a", b"")
    assert await files.read("a") == b""
    assert await files.exists("a")


async def test_readers_see_old_or_new_content_only(files: Files) -> None:
    versions = [bytes([number]) * 200_000 for number in range(8)]
    await files.write("a", versions[0])

    async def write_all() -> None:
        for version in versions:
            await files.write("a", version)

    writing = asyncio.create_task(write_all())
    while not writing.done():
        assert await files.read("a") in versions
    await writing


async def test_a_missing_file_is_not_found(files: Files) -> None:
    assert not await files.exists("audio/none.mp3")
    await files.delete("audio/none.mp3")
    with pytest.raises(NotFoundError, match=r"none\.mp3"):
        await files.read("audio/none.mp3")
    with pytest.raises(NotFoundError):
        await files.size("audio/none.mp3")
    with pytest.raises(NotFoundError):
        _ = [chunk async for chunk in files.stream("audio/none.mp3")]


async def test_a_folder_lists_its_files_with_their_times(files: Files) -> None:
    for name in ("audio/a.mp3", "audio/deep/b.mp3", "audiobook/c.mp3", "d"):
        await files.write(name, b"x")
    await files.delete("d")
    listed = {name: at async for name, at in files.names("audio/")}
    assert set(listed) == {"audio/a.mp3", "audio/deep/b.mp3"}
    assert all(at.utcoffset() == timedelta(0) for at in listed.values())
    assert all(abs(datetime.now(UTC) - at) < timedelta(minutes=1) for at in listed.values())
    assert len([name async for name, _ in files.names("")]) == 3
    assert [name async for name, _ in files.names("empty")] == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../a",
        "a/../b",
        "a//b",
        "a/",
        "a\\b",
        ".",
        "a/./b",
        "a\x00",
        "a\n",
        "a" * 241,
        "я" * 121,
    ],
)
async def test_names_cannot_leave_the_store(files: Files, name: str) -> None:
    for attempt in (files.write(name, b""), files.read(name), files.exists(name)):
        with pytest.raises(InvalidInputError):
            await attempt


@pytest.mark.parametrize(
    "name", ["50%.txt", "a%2Fb", "%2e%2e/x", "a?b", "a*b", "имя.pdf", "a" * 240, "я" * 120]
)
async def test_odd_names_stay_what_they_are(files: Files, name: str) -> None:
    await files.write(f"odd/{name}", b"1")
    assert await files.read(f"odd/{name}") == b"1"
    assert [found async for found, _ in files.names("odd")] == [f"odd/{name}"]


def test_only_the_service_may_read_the_folder(tmp_path: Path) -> None:
    open_files(tmp_path, "")
    assert (tmp_path / "files").stat().st_mode & 0o077 == 0


def test_an_address_without_a_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="MEDAI_FILES_URL"):
        open_files(tmp_path, "nonsense")


async def test_a_failing_store_says_so(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="Хранилище"):
        open_files(tmp_path, "")


def test_a_folder_that_was_open_is_closed_at_start(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir(mode=0o755)
    (tmp_path / "files").chmod(0o755)
    open_files(tmp_path, "")
    assert (tmp_path / "files").stat().st_mode & 0o777 == 0o700
