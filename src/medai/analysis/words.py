"""Words of a text in a comparable form, each with its place in the text."""

import re
import unicodedata
from dataclasses import dataclass

# A word with the marks that belong to its letters: "й" may arrive as "и" and a breve.
_WORD = re.compile(r"[^\W_](?:[^\W_]|[\u0300-\u036f])*")


@dataclass(frozen=True, slots=True)
class Word:
    """`text[begin:end]` of the source; `form` compares without case, ё and accents' encoding."""

    form: str
    begin: int
    end: int


def words(text: str) -> list[Word]:
    """The words of the text in order; punctuation, underscores and symbols separate them."""
    return [Word(_form(each.group()), each.start(), each.end()) for each in _WORD.finditer(text)]


def _form(word: str) -> str:
    composed = unicodedata.normalize("NFKC", word).casefold()
    return composed.replace("ё", "е").replace("\u0301", "")
