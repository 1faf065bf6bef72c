"""Text from outside, made harmless before it is stored."""

import re

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# NUL cannot be kept by PostgreSQL; lone surrogates cannot be encoded; other control characters
# move cursors and break spreadsheets; noncharacters break them too (XML 1.0). Tab and line
# breaks stay.
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
# Bidirectional overrides let hostile text show itself in another order than it is stored.
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f]")


def clean(text: str) -> str:
    """The text without characters that stores refuse or screens obey."""
    if text.isprintable():  # most texts, and ten times as fast
        return text
    return _BIDI.sub("", _UNSTORABLE.sub(_REPLACEMENT, text))


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters, an ellipsis standing for what was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
