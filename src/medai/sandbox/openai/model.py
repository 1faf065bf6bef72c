"""The simulated language model: reads a question, recalls the conversation, writes JSON."""

import hashlib
import itertools
import json
from collections import deque
from typing import Any

from medai.sandbox.faults import Fault
from medai.sandbox.openai.answers import Generated, Outcome, tokens, usage
from medai.sandbox.openai.knowledge import Knowledge
from medai.sandbox.openai.memory import Memory, dialogues
from medai.sandbox.openai.question import Question
from medai.sandbox.openai.reading import read
from medai.sandbox.openai.writer import write
from medai.sandbox.state import Sandbox

_REMEMBERED_REQUESTS = 500
_OUTCOMES: dict[str, Outcome] = {
    "refusal": "refused",
    "incomplete": "incomplete",
    "incomplete_empty": "incomplete",
    "failed": "failed",
}


class OpenAI:
    """One project of the API with its prompt cache and its last requests."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._memory = Memory(dialogues(sandbox.world))
        self.reset()

    def reset(self) -> None:
        """Empty the prompt cache and forget requests."""
        self._seen: set[str] = set()
        self._numbers = itertools.count(1)
        self.requests: deque[dict[str, Any]] = deque(maxlen=_REMEMBERED_REQUESTS)

    def next_id(self) -> str:
        """A repeatable id: the n-th since the last reset."""
        return hashlib.sha256(f"openai-{next(self._numbers)}".encode()).hexdigest()[:24]

    def generate(self, question: Question, fault: Fault | None) -> Generated:
        """Answer the question, spoiled as the fault says, and enter it in the ledger."""
        kind = fault.kind if fault else ""
        text, outcome = self._text(question, kind), _OUTCOMES.get(kind, "completed")
        if outcome == "incomplete":
            text = text[: len(text) // 2] if kind == "incomplete" else ""
        if outcome in ("refused", "failed"):
            text = ""
        used = usage(question, text, warm=self._is_warm(question))
        if question.max_tokens is not None and used.output > question.max_tokens:
            kept = max(0, question.max_tokens - used.reasoning) * len(text) // max(tokens(text), 1)
            text, outcome = text[:kept], "incomplete"
        if outcome != "failed":
            self._sandbox.ledger.llm_request(
                question.name, used.input, used.output, cached_tokens=used.cached
            )
        created = int(self._sandbox.clock().timestamp())
        return Generated(self.next_id(), created, outcome, text, used)

    def _text(self, question: Question, kind: str) -> str:
        if question.schema is None:
            return "Песочница отвечает только по схеме."
        reading = read(question.data)
        known = Knowledge(reading, self._memory.recognise(reading.utterances), spoiled=kind)
        text = json.dumps(write(question.schema, known), ensure_ascii=False)
        return text[: len(text) // 2] if kind == "invalid_json" else text

    def _is_warm(self, question: Question) -> bool:
        prefix = f"{question.cache_key}\x1f{question.instructions}"
        warm = prefix in self._seen
        self._seen.add(prefix)
        return warm
