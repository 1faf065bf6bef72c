"""What the simulators did and what a provider would have billed: append-only, in memory."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Monotonic = Callable[[], float]
"""Seconds that never go back."""


@dataclass(frozen=True, slots=True)
class CrmRequest:
    """One request to an amoCRM account. `path` is the template, such as /api/v4/leads/{id}."""

    account: str
    at: float
    method: str
    path: str


@dataclass(frozen=True, slots=True)
class NoteWritten:
    """One note that the product created in the CRM."""

    account: str
    collection: str
    entity_id: int
    note_id: int


@dataclass(frozen=True, slots=True)
class RecordingRequest:
    """One request for a recording by its file name, served or not."""

    name: str
    method: str


@dataclass(frozen=True, slots=True)
class Recognition:
    """One speech recognition. `seconds` is the audio's length, once; `channels` multiply it."""

    sha256: str
    seconds: float
    channels: int
    model: str
    billed: bool


@dataclass(frozen=True, slots=True)
class LlmRequest:
    """One answer of the language model. `kind` is the name of the requested schema.

    Cached tokens are a part of the input.
    """

    kind: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class TelegramMessage:
    """One message or file the bot sent."""

    chat_id: int
    method: str


Entry = CrmRequest | NoteWritten | RecordingRequest | Recognition | LlmRequest | TelegramMessage


class Ledger:
    """All entries since the start or the last reset. Safe for several threads."""

    def __init__(self, monotonic: Monotonic = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._entries: list[Entry] = []

    def crm_request(self, account: str, method: str, path: str) -> None:
        """Note a request to the account (subdomain), answered or refused."""
        self._add(CrmRequest(account, self._monotonic(), method, path))

    def note_written(self, account: str, collection: str, entity_id: int, note_id: int) -> None:
        """Note a CRM note created through the API."""
        self._add(NoteWritten(account, collection, entity_id, note_id))

    def recording_request(self, name: str, method: str) -> None:
        """Note a request to the recording host."""
        self._add(RecordingRequest(name, method))

    def recognised(
        self, sha256: str, *, seconds: float, channels: int, model: str, billed: bool = True
    ) -> None:
        """Note a recognition at the moment its work is done, answered or not."""
        self._add(Recognition(sha256, seconds, channels, model, billed))

    def llm_request(
        self, kind: str, input_tokens: int, output_tokens: int, *, cached_tokens: int = 0
    ) -> None:
        """Note an answer of the language model."""
        self._add(LlmRequest(kind, input_tokens, output_tokens, cached_tokens))

    def telegram_message(self, chat_id: int, method: str) -> None:
        """Note a message of the bot."""
        self._add(TelegramMessage(chat_id, method))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()

    def entries(self) -> list[Entry]:
        """A copy of all entries in order."""
        with self._lock:
            return list(self._entries)

    def crm_requests(self, account: str | None = None) -> list[CrmRequest]:
        """Requests to one account, or to all."""
        found = [entry for entry in self.entries() if isinstance(entry, CrmRequest)]
        return [entry for entry in found if account in (None, entry.account)]

    def notes(self) -> list[NoteWritten]:
        """Notes created through the API."""
        return [entry for entry in self.entries() if isinstance(entry, NoteWritten)]

    def recording_requests(self) -> list[RecordingRequest]:
        """Requests to the recording host."""
        return [entry for entry in self.entries() if isinstance(entry, RecordingRequest)]

    def recognitions(self) -> list[Recognition]:
        """Recognitions, billed or not."""
        return [entry for entry in self.entries() if isinstance(entry, Recognition)]

    def stt_paid(self) -> Counter[str]:
        """How often each recording (by SHA-256) was paid for."""
        return Counter(entry.sha256 for entry in self.recognitions() if entry.billed)

    def _add(self, entry: Entry) -> None:
        with self._lock:
            self._entries.append(entry)


def busiest_second(moments: Iterable[float]) -> int:
    """The most moments inside any sliding window of one second, `start <= t < start + 1`."""
    window: deque[float] = deque()
    most = 0
    for moment in sorted(moments):
        window.append(moment)
        while moment - window[0] >= 1.0:
            window.popleft()
        most = max(most, len(window))
    return most
