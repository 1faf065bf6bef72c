"""An archive that is damaged, cut short or made to do harm is refused; a sound one is read."""

import asyncio
import random
import re
import stat
import struct
from pathlib import Path
from typing import Any
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile

import pytest
from tests.fixtures.moving import lines_of, made_archive

import medai
from medai.bootstrap.ground import COLLECTIONS
from medai.bot.collections import BOT_COLLECTIONS
from medai.errors import InvalidInputError
from medai.processing.transfer.checking import check_archive
from medai.processing.transfer.manifest import MANIFEST, Lines
from medai.processing.transfer.reading import opened_archive
from medai.processing.transfer.writing import new_archive, writing

KNOWN = {"calls", "clinics"}
DOCUMENTS: dict[str, list[dict[str, Any]]] = {
    "calls": [{"_id": f"{n:04}", "text": f"слова {n * 7919 % 1000}"} for n in range(300)],
    "clinics": [{"_id": "a", "at": None}],
}
FILES = {"audio/1.mp3": bytes(range(256)) * 8, "recognitions/x/answer.json": b"{}"}


def check(path: Path) -> None:
    with opened_archive(path) as archive:
        asyncio.run(check_archive(archive, KNOWN))


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    return made_archive(tmp_path / "sound.zip", DOCUMENTS, files=FILES)


def test_no_collection_is_forgotten() -> None:
    """Whoever adds one names it for the stores, and so for archives."""
    sources = Path(medai.__file__).parent.rglob("*.py")
    texts = [path.read_text(encoding="utf-8") for path in sources]
    declared = {name for text in texts for name in re.findall(r' = Collection\(\s*"(\w+)"', text)}
    assert declared == {one.name for one in (*COLLECTIONS, *BOT_COLLECTIONS)}
    assert len(declared) > 20


def test_a_sound_archive_is_read(sound: Path) -> None:
    check(sound)


def test_an_archive_cut_anywhere_is_refused(sound: Path, tmp_path: Path) -> None:
    whole = sound.read_bytes()
    cut = tmp_path / "cut.zip"
    for length in [0, 1, 30, *range(100, len(whole), 397), len(whole) - 1]:
        cut.write_bytes(whole[:length])
        with pytest.raises(InvalidInputError):
            check(cut)


def test_a_changed_byte_is_noticed_or_changes_nothing(sound: Path, tmp_path: Path) -> None:
    """The moment of an entry and the like are nobody's content."""
    whole, chosen = sound.read_bytes(), random.Random(7)
    spoiled, refused = tmp_path / "spoiled.zip", 0
    for _ in range(400):
        place, bit = chosen.randrange(len(whole)), 1 << chosen.randrange(8)
        spoiled.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
        try:
            check(spoiled)
        except InvalidInputError:
            refused += 1
            continue
        assert contents(spoiled) == contents(sound), place
    assert refused > 300


def contents(path: Path) -> dict[str, bytes]:
    with ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("name", [
    "../outside", "/etc/passwd", "audio/../../x", "audio\\..\\x", "audio//x", ".", "audio/\n", "",
])  # fmt: skip
def test_a_file_that_would_leave_the_store_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError):
        check(made_archive(tmp_path / "a.zip", DOCUMENTS, files={name: b"1"}))


@pytest.mark.parametrize("calls", [
    [{"_id": "2"}, {"_id": "1"}],
    [{"_id": "1"}, {"_id": "1"}],
    [{"text": "no id"}],
    [{"_id": 1}],
    [{"_id": ""}],
    [{"_id": "1", "in": {"a.b": 1}}],
    [{"_id": "1", "$where": "1"}],
    [[1]],
    [b"[" * 100_000 + b"\n"],
    [b'{"_id":"1","a":' + b"[" * 900 + b"]" * 900 + b"}\n"],
    [b'{"_id":"1","at":{"$date":1e400}}\n'],
    [b'{"_id":"1","at":{"$date":99999999999999999999}}\n'],
    [b'{"_id":"1","at":{"$date":"x"}}\n'],
    [b'{"_id":"1","n":NaN}\n'],
    [b'{"_id":"1","n":1,"n":2}\n'],
    [b'{ "_id":"1"}\n'],
    [b'{"_id":"1"}'],
    [b'{"_id":"\xff"}\n'],
    [b"\n"],
], ids=lambda calls: repr(calls)[:30])  # fmt: skip
def test_a_line_that_we_do_not_write_is_refused(calls: list[Any], tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError):
        check(made_archive(tmp_path / "a.zip", {"calls": calls}))


@pytest.mark.parametrize("extra", [
    {"documents/clinics.jsonl": b""}, {"surplus": b"x"}, {"files/a": b"x"}, {"../../x": b"x"},
])  # fmt: skip
def test_what_nobody_announced_is_refused(extra: dict[str, bytes], tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError):
        check(made_archive(tmp_path / "a.zip", {"calls": []}, extra=extra))


def test_two_entries_of_one_name_are_refused(tmp_path: Path) -> None:
    path = made_archive(tmp_path / "a.zip", DOCUMENTS)
    with ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(MANIFEST, b"{}")
    with pytest.raises(InvalidInputError):
        check(path)


def test_entries_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    """A small archive could name the same large content a thousand times."""
    path = tmp_path / "a.zip"
    made_archive(path, {"calls": [], "clinics": []})
    whole = bytearray(path.read_bytes())
    directory = whole.index(b"PK\x01\x02")
    second = whole.index(b"PK\x01\x02", directory + 1)
    struct.pack_into("<L", whole, second + 42, struct.unpack_from("<L", whole, directory + 42)[0])
    path.write_bytes(whole)
    with pytest.raises(InvalidInputError):
        check(path)


def test_a_bomb_is_refused_unopened(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    size = 80 * 2**20
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("documents/calls.jsonl", b" " * size)
        archive.writestr(MANIFEST, b"{}")
    assert path.stat().st_size < size / 200
    with pytest.raises(InvalidInputError, match="внутри не то"), opened_archive(path):
        pass


def test_an_entry_longer_than_it_says_is_refused(tmp_path: Path) -> None:
    """Reading ends where the archive's own directory says it ends."""
    path = made_archive(tmp_path / "a.zip", {"calls": [{"_id": "1", "text": "x" * 5000}]})
    whole = bytearray(path.read_bytes())
    struct.pack_into("<L", whole, whole.index(b"PK\x01\x02") + 24, 100)
    path.write_bytes(whole)
    with pytest.raises(InvalidInputError):
        check(path)


def test_a_foreign_way_of_packing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with ZipFile(path, "w", ZIP_BZIP2) as archive:
        archive.writestr(MANIFEST, b"{}")
    with pytest.raises(InvalidInputError), opened_archive(path):
        pass


@pytest.mark.parametrize("told", [
    {"version": 2},
    {"version": 0},
    {"format": "zip"},
    {"keys": None},
    {"collections": (Lines(name="unknown", lines=0, bytes=0, sha256="0" * 64),)},
    {"collections": ()},
    {"ledger": lines_of("ledger", [{"id": "1"}])[1]},
])  # fmt: skip
def test_a_manifest_that_tells_something_else_is_refused(
    told: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(InvalidInputError):
        check(made_archive(tmp_path / "a.zip", DOCUMENTS, **told))


def test_a_later_version_and_its_collections_are_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="более новой службой"):
        check(made_archive(tmp_path / "a.zip", {}, version=2))
    with pytest.raises(InvalidInputError, match=r"не знает \(later\)"):
        check(made_archive(tmp_path / "b.zip", {"later": [{"_id": "1"}]}))


def test_an_archive_is_whole_or_absent_and_its_owners_only(tmp_path: Path) -> None:
    target = tmp_path / "a.zip"
    target.write_bytes(b"the former one")
    with (
        pytest.raises(ZeroDivisionError),
        new_archive(target) as draft,
        writing(draft) as archive,
        archive.entry("x") as entry,
    ):
        entry.write(bytes(1 // 0))
    assert target.read_bytes() == b"the former one"
    with new_archive(target) as draft:
        with writing(draft) as archive, archive.entry("x") as entry:
            entry.write(b"whole")
        assert target.read_bytes() == b"the former one"
    assert contents(target) == {"x": b"whole"}
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [target]


def test_drafts_of_the_dead_are_removed_and_those_of_the_living_stay(tmp_path: Path) -> None:
    target = tmp_path / "a.zip"
    (tmp_path / ".a.zip.killed.part").write_bytes(b"somebody's words")
    with new_archive(target) as one, new_archive(target) as other:
        assert {path.name for path in tmp_path.iterdir()} == {one.name, other.name}


@pytest.mark.parametrize("target", ["missing/a.zip", ".", "x" * 250])
def test_a_place_that_cannot_be_written_is_told(target: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="не записывается"), new_archive(tmp_path / target):
        pass
