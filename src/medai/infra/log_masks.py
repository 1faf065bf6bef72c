"""What never stands in a log line: fields by name, phones, keys and tokens by form or value."""

import re
from collections.abc import Iterable, MutableMapping
from typing import Any

Event = MutableMapping[str, Any]

MASK = "***"

_SECRET_KEYS = (
    "token",
    "secret",
    "key",
    "password",
    "authorization",
    "phone",
    "text",
    "transcript",
)
"""An event field whose name holds one of these is masked: a safety net, not a licence."""

_PHONE = re.compile(
    r"(?<![^\W_])(?<![.-])(?:\+?7|8)[ (-]{0,2}\d{3}[ )-]{0,2}\d{3}[ -]?\d{2}[ -]?\d{2}"
    r"(?![^\W_])(?!-)"
)
"""Russian numbers as people, PBXs and file names write them; ids and times do not look so."""

_CREDENTIALS = re.compile(
    r"(?P<kept>://)[^\s/@]+@"  # user and password in an address
    r"|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"  # JSON web tokens: amoCRM's
    r"|\bsk[-_][\w-]{16,}"  # keys of OpenAI and ElevenLabs
    r"|\bbot\d{6,}:[\w-]{20,}"  # Telegram's, which stand in its addresses
    r"|(?P<scheme>\bBearer )[\w.~+/=-]{8,}"
)

_SHORTEST_SECRET = 8
"""A shorter value is a word: masking it would spoil lines and protect nothing."""


class Masks:
    """Masks events and rendered lines. `secrets` are values that must not be seen anywhere."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({one for one in secrets if len(one) >= _SHORTEST_SECRET}, key=len)
        self._known = re.compile("|".join(map(re.escape, reversed(known)))) if known else None

    def fields(self, _logger: Any, _method: str, event: Event) -> Event:
        """Mask fields by their names (a structlog processor)."""
        for name in event:
            if name != "event" and any(word in name.lower() for word in _SECRET_KEYS):
                event[name] = MASK
        return event

    def values(self, _logger: Any, _method: str, event: Event) -> Event:
        """Mask what looks personal or secret inside texts (a structlog processor).

        The last net, for texts of foreign errors: they may quote what they could not digest.
        Values of other types are masked as they will be printed.
        """
        for name, value in event.items():
            if name.startswith("_") or isinstance(value, bool | int | float | type(None)):
                continue
            shown = value if isinstance(value, str) else repr(value)
            masked = self.text(shown)
            if isinstance(value, str) or masked != shown:
                event[name] = masked
        return event

    def text(self, text: str) -> str:
        """The text without known secrets, credentials and phones."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        return _PHONE.sub(MASK, _CREDENTIALS.sub(_masked_credential, text))


def _masked_credential(found: re.Match[str]) -> str:
    if found["kept"]:
        return f"://{MASK}@"
    return (found["scheme"] or "") + MASK
