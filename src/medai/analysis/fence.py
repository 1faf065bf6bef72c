"""The fence around untrusted text in a prompt.

A transcript is what strangers said on the telephone: it may hold orders to the model. It stands
between two lines with a mark that the text cannot contain, because the mark is a hash of the text
itself; whatever looks like such a line inside is made harmless.
"""

import hashlib
import re
import unicodedata

_MARK_DIGITS = 16
# Angle brackets and everything that is folded to them or looks like them.
_BRACKET_RUNS = re.compile(r"[<>‹›«»＜＞〈〉⟨⟩《》≪≫]{2,}")


def fenced(title: str, lines: list[str]) -> str:
    """The lines between `<<<TITLE mark>>>` and `<<<КОНЕЦ mark>>>`.

    The same lines always get the same mark, so a request can be replayed byte for byte. Lines
    must come from `one_line`.
    """
    body = "\n".join(lines)
    mark = hashlib.sha256(f"{title}\x1f{body}".encode()).hexdigest()[:_MARK_DIGITS]
    return f"<<<{title} {mark}>>>\n{body}\n<<<КОНЕЦ {mark}>>>"


def one_line(text: str) -> str:
    """The text as a single line that cannot pass for a fence, a line number or a new speaker."""
    visible = "".join(" " if _is_control(char) else char for char in text)
    return " ".join(_BRACKET_RUNS.sub(" ", visible).split())


def _is_control(char: str) -> bool:
    # Cc and Cf cover line breaks, NUL, zero-width and bidirectional signs; Zl and Zp are
    # Unicode's own line breaks; Cs (lone surrogates) cannot be sent at all.
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
