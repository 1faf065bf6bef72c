"""What turns a dialogue into a recording."""

import hashlib
from typing import Protocol

from medai.sandbox.world.models import Dialogue


class Maker(Protocol):
    """Makes the same bytes for the same dialogue, in any process.

    `version` changes whenever the bytes would; `content_type` is the MIME type of all of them.
    Implementations can be pickled, because several processes share the work.
    """

    @property
    def version(self) -> str:
        """Name and revision of the maker, part of the cache key."""

    @property
    def content_type(self) -> str:
        """MIME type of the recordings."""

    def make(self, dialogue: Dialogue) -> bytes:
        """The recording: `dialogue.seconds` long, lines at their times."""


def content_key(maker: Maker, dialogue: Dialogue) -> str:
    """Names a recording by everything its bytes depend on; the dialogue's id is no part."""
    spoken = (dialogue.lines, dialogue.seconds, dialogue.channels, dialogue.patient_voice)
    return hashlib.sha256(repr((maker.version, spoken)).encode()).hexdigest()[:32]
