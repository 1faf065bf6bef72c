"""Scripted misbehaviour: what a simulator does wrong with its next matching requests."""

import threading
from dataclasses import dataclass, replace
from typing import Literal, get_args

Target = Literal["amocrm", "recordings", "elevenlabs", "openai", "telegram"]
TARGETS: tuple[Target, ...] = get_args(Target)

_HTTP: tuple[Target, ...] = ("amocrm", "elevenlabs", "openai", "telegram")
_ALL = TARGETS

KINDS: dict[str, tuple[str, tuple[Target, ...]]] = {
    # any HTTP service
    "rate_limit_json": ("429 with the provider's JSON and its wait header or field", _ALL),
    "rate_limit_html": ("429 with an HTML page and no wait", _ALL),
    "server_error": ("500 (or `status`) with the provider's JSON; no work done", _ALL),
    "gateway_html": ("502 (or `status`) with an HTML page; no work done", _ALL),
    "slow": ("waits `seconds`, then answers as usual", _ALL),
    "timeout": ("does the work, then never answers: the client gives up", _ALL),
    "reset": ("closes the connection before any work", _ALL),
    "reset_after_commit": ("does the work, then closes the connection without an answer", _ALL),
    "html_ok": ("200 with an HTML page instead of JSON; no work done", _HTTP),
    "invalid_json": ("200 whose JSON text is broken off; work done and billed", _HTTP),
    "bad_key": ("401: the key or token is not accepted", _HTTP),
    "forbidden_html": ("403 with an HTML page: address or account blocked", _ALL),
    "payment_required": ("402: account not paid, or credits spent", ("amocrm", "elevenlabs")),
    # amoCRM
    "revoked_token": ("401 as after a token was revoked, for this request only", ("amocrm",)),
    # recordings
    "late_link": ("the recording is not there yet: 404", ("recordings",)),
    "not_found": ("404", ("recordings", "elevenlabs", "telegram")),
    "html_instead_of_audio": ("200 with a log-in page where audio is expected", ("recordings",)),
    "truncated_audio": ("the body ends half-way", ("recordings",)),
    "unavailable_clip": ("a short clip saying that the recording is unavailable", ("recordings",)),
    "redirect_private": ("302 to a private address", ("recordings",)),
    "redirect_chain": ("302 three times, then the audio", ("recordings",)),
    "slow_stream": ("the whole audio, trickling for `seconds`", ("recordings",)),
    "one_time_link": ("the audio now, 410 for every later request", ("recordings",)),
    # ElevenLabs
    "concurrent_limit": ("429 too_many_concurrent_requests", ("elevenlabs",)),
    # ElevenLabs and OpenAI
    "quota": (
        "credits spent: ElevenLabs 401 quota_exceeded, OpenAI 429 insufficient_quota",
        ("elevenlabs", "openai"),
    ),
    "unsupported_region": ("403: the country is not served", ("elevenlabs", "openai")),
    # OpenAI
    "refusal": ("200 with a refusal instead of JSON", ("openai",)),
    "incomplete": ("200 cut off by max_output_tokens: half of the JSON", ("openai",)),
    "incomplete_empty": ("200 cut off inside reasoning: no text at all", ("openai",)),
    "failed": ("200 whose status is failed with a server_error", ("openai",)),
    "rate_limit_plain": ("429 without any wait header", ("openai",)),
    "schema_violation": (
        "JSON that fits the schema's types but breaks its limits: scores of 11",
        ("openai",),
    ),
    "wrong_evidence": ("quotes that nobody said", ("openai",)),
    # Telegram
    "conflict": ("409: another poller took the updates", ("telegram",)),
    "blocked": ("403: the person blocked the bot", ("telegram",)),
}
"""Kind -> (meaning, targets that know it)."""


class UnknownFaultError(ValueError):
    """The kind or the target does not exist, or the target does not know the kind."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One scripted misbehaviour.

    `times`: how many requests it spoils, 0 = until cleared. `match`: text that the request's
    "METHOD /path" must contain, empty = any. `seconds`: the wait of slow, or the advice of a 429.
    `status`: an HTTP status instead of the kind's usual one.
    """

    kind: str
    times: int = 1
    match: str = ""
    seconds: float = 0.0
    status: int | None = None


class Faults:
    """The script of all targets. Safe for several threads: tests write, the server reads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._script: dict[Target, list[Fault]] = {target: [] for target in TARGETS}

    def add(self, target: Target, fault: Fault) -> None:
        """Append to the target's script. Raises UnknownFaultError."""
        _check(target, fault)
        with self._lock:
            self._script[target].append(fault)

    def take(self, target: Target, path: str) -> Fault | None:
        """The first fault that matches "METHOD /path"; uses up one of its times."""
        with self._lock:
            script = self._script[target]
            for place, fault in enumerate(script):
                if fault.match in path:
                    _use_up(script, place)
                    return fault
        return None

    def clear(self) -> None:
        """Forget every script."""
        with self._lock:
            for script in self._script.values():
                script.clear()

    def pending(self) -> dict[Target, list[Fault]]:
        """What is still to come, per target."""
        with self._lock:
            return {target: list(script) for target, script in self._script.items()}


def _use_up(script: list[Fault], place: int) -> None:
    fault = script[place]
    if fault.times == 1:
        del script[place]
    elif fault.times > 1:
        script[place] = replace(fault, times=fault.times - 1)


def _check(target: Target, fault: Fault) -> None:
    if target not in TARGETS:
        raise UnknownFaultError(f"unknown target {target!r}")
    if fault.kind not in KINDS or target not in KINDS[fault.kind][1]:
        raise UnknownFaultError(f"{target} does not know the fault {fault.kind!r}")
    if fault.times < 0:
        raise UnknownFaultError("times must be 0 (until cleared) or more")
