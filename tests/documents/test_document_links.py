"""Every relative link, anchor and picture of every document leads somewhere."""

import struct
from pathlib import PurePosixPath

import pytest
from tests.documents.reading import ROOT, anchors, documents, links, text

_PICTURES = (".png", ".svg", ".jpg", ".gif")
_MOST_BYTES = 200_000
_PNG_HEAD = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize("name", documents())
def test_links_and_anchors_lead_somewhere(name: str) -> None:
    astray = []
    for target in links(name):
        path, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        found = ROOT / PurePosixPath(name).parent / path if path else ROOT / name
        if not found.exists() or (anchor and anchor not in anchors(str(found.resolve()))):
            astray.append(target)
    assert astray == []


def test_pictures_are_small_and_shown() -> None:
    shown = {
        (ROOT / PurePosixPath(name).parent / target).resolve()
        for name in documents()
        for target in links(name)
        if target.endswith(_PICTURES) and "://" not in target
    }
    present = {path for path in (ROOT / "docs").rglob("*") if path.suffix in _PICTURES}
    assert present == shown
    for path in present:
        content = path.read_bytes()
        assert content.startswith(_PNG_HEAD), path
        width, _ = struct.unpack(">II", content[16:24])
        assert width > 300, path
        assert len(content) < _MOST_BYTES, path


def test_pictures_can_be_described() -> None:
    """Whoever cannot see a picture is told what it shows."""
    for name in documents():
        assert "![](" not in text(name), name
