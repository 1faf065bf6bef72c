"""The requests of one analysis: what they were asked, answered and consumed."""

import hashlib
import json
from typing import Any

from medai.analysis.models import Usage
from medai.analysis.ports import LanguageModel, Prompt, Shape
from medai.analysis.usage import total
from medai.ledger.models import Subject


class Session:
    """Passes questions to the model and remembers all that a replay needs."""

    def __init__(self, model: LanguageModel, subject: Subject) -> None:
        self._model = model
        self._subject = subject
        self._asked: list[str] = []
        self._raw: list[dict[str, Any]] = []
        self._usages: list[Usage] = []
        self.model = ""
        """The model that answered last, "" before the first answer."""

    async def ask(self, prompt: Prompt, shape: type[Shape]) -> Shape:
        """The validated answer. Raises what the model raises."""
        answer = await self._model.answer(prompt, shape, self._subject)
        self._asked.append(_fingerprint(prompt, shape))
        self._raw.append(answer.raw)
        self._usages.append(answer.usage)
        self.model = answer.model
        return answer.value

    @property
    def prompt_hash(self) -> str:
        """SHA-256 over instructions, data and schema of every answered request, in order."""
        return hashlib.sha256("\x1e".join(self._asked).encode()).hexdigest()

    @property
    def raw(self) -> tuple[dict[str, Any], ...]:
        """Bodies of all answers in order."""
        return tuple(self._raw)

    @property
    def usage(self) -> Usage:
        """The sum over all answers."""
        return total(self._usages)


def _fingerprint(prompt: Prompt, shape: type[Shape]) -> str:
    schema = json.dumps(shape.model_json_schema(), sort_keys=True)
    return "\x1f".join((prompt.instructions, prompt.data, shape.__name__, schema))
