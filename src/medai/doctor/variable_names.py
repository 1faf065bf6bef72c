"""Variables that nobody reads: most of them are misspelt. Pure."""

import difflib
import re
from collections.abc import Iterable, Iterator

from pydantic import AliasChoices

from medai.doctor.findings import Finding, warning
from medai.settings import Settings

CHECK = "settings"

_OURS = re.compile(r"(MEDAI|AMOCRM|ELEVENLABS|EVENLABS|MONGODB|RECORDINGS|STT|LLM)_")
"""Prefixes that no other program uses."""
_ALIKE, _VERY_ALIKE = 0.75, 0.88
"""How close an unknown name is to a known one; others may be meant for other programs."""
_READ_BY_COMMANDS = {"AMOCRM_TOKEN", "AMOCRM_CLIENT_SECRET", "AMOCRM_AUTH_CODE"}
_ONLY_FOR_TESTS = "MEDAI_TEST_"


def unknown_variables(names: Iterable[str]) -> Iterator[Finding]:
    """A warning for each name that looks like one of ours and is none. Values are not looked at."""
    known = _known()
    for name in sorted({name.upper() for name in names} - known - _READ_BY_COMMANDS):
        ours = _OURS.match(name) and not name.startswith(_ONLY_FOR_TESTS)
        close = difflib.get_close_matches(name, known, 1, _ALIKE if ours else _VERY_ALIKE)
        if close:
            yield warning(CHECK, f"Переменная {name[:60]} не читается: возможно, это {close[0]}")
        elif ours:
            yield warning(CHECK, f"Переменная {name[:60]} не читается: список в .env.example")


def _known() -> set[str]:
    """Every name the settings read, old ones included."""
    names = set(Settings.model_fields)
    for field in Settings.model_fields.values():
        if isinstance(field.validation_alias, AliasChoices):
            names |= {str(choice) for choice in field.validation_alias.choices}
    return {name.upper() for name in names}
