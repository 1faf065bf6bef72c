"""What this process counts and times, for Prometheus (docs/operations.md lists all).

One registry per process: a counter belongs to the process, not to an application in it. Labels
have few values: never an id of a call, a phone, a path or a text of a provider.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from medai import __version__
from medai.errors import MedaiError, ProviderError, RecordingError

RECORDINGS = "recordings"
"""The servers of recordings as one provider: their hosts are as many as there are PBXs."""

REGISTRY = CollectorRegistry(auto_describe=True)
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)
Info("medai_build", "The running version", registry=REGISTRY).info({"version": __version__})

_PROVIDER_SECONDS = Histogram(
    "medai_provider_request_seconds",
    "One exchange with a provider, answered or not, without waiting for its turn",
    ["provider"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300),
    registry=REGISTRY,
)
_PROVIDER_ERRORS = Counter(
    "medai_provider_errors", "Failed exchanges by our stable code", ["provider", "code"],
    registry=REGISTRY,
)  # fmt: skip
_LIMITER_SECONDS = Histogram(
    "medai_limiter_wait_seconds",
    "Waiting for a turn that the whole fleet shares",
    ["limiter"],
    buckets=(0.01, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    registry=REGISTRY,
)
_STEP_SECONDS = Histogram(
    "medai_step_seconds",
    "One attempt at a step of a call",
    ["step"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600),
    registry=REGISTRY,
)
_STEPS = Counter(
    "medai_steps", "Attempts at steps of calls; code is done or our code of the failure",
    ["step", "code"], registry=REGISTRY,
)  # fmt: skip
_STT_SECONDS = Counter(
    "medai_stt_audio_seconds",
    "Recognised audio as billed: each channel counts",
    ["model"],
    registry=REGISTRY,
)
_LLM_TOKENS = Counter(
    "medai_llm_tokens", "Tokens of language models; cached ones are part of input",
    ["model", "kind"], registry=REGISTRY,
)  # fmt: skip
_MONEY = Counter(
    "medai_money_spent", "Money entered in the ledger", ["provider", "currency"],
    registry=REGISTRY,
)  # fmt: skip
_TRACES_DROPPED = Counter(
    "medai_traces_dropped", "LangSmith traces that were not delivered", registry=REGISTRY
)


@contextmanager
def provider_request(provider: str) -> Iterator[None]:
    """Time one exchange. What never left this machine (a missing key) is not counted."""
    started = perf_counter()
    try:
        yield
    except (ProviderError, RecordingError) as error:
        provider_answered(provider, perf_counter() - started, error.code)
        raise
    provider_answered(provider, perf_counter() - started)


def provider_answered(provider: str, seconds: float, code: str | None = None) -> None:
    """Count one exchange; `code` is that of its failure."""
    _PROVIDER_SECONDS.labels(provider).observe(seconds)
    if code is not None:
        provider_failed(provider, code)


def provider_failed(provider: str, code: str) -> None:
    """Count a failure that showed only after the exchange was counted: an unreadable answer."""
    _PROVIDER_ERRORS.labels(provider, code).inc()


@contextmanager
def step_attempt(step: str) -> Iterator[None]:
    """Time one attempt at a step. An attempt that was cancelled is not counted."""
    started = perf_counter()
    code = "done"
    try:
        yield
    except MedaiError as error:
        code = error.code
        raise
    except Exception:
        code = MedaiError.code
        raise
    except BaseException:
        code = ""
        raise
    finally:
        if code:
            _STEP_SECONDS.labels(step).observe(perf_counter() - started)
            _STEPS.labels(step, code).inc()


def turn_waited(limiter: str, seconds: float) -> None:
    """Count a turn of a fleet-wide limiter; keys of one kind ("amocrm:name") are one limiter."""
    _LIMITER_SECONDS.labels(limiter.partition(":")[0]).observe(seconds)


def speech_recognised(model: str, seconds: float) -> None:
    """Count recognised audio; `model` is the configured one."""
    _STT_SECONDS.labels(model).inc(max(seconds, 0.0))


def tokens_used(model: str, *, input_: int, cached: int, output: int) -> None:
    """Count tokens of one answer; `model` is the configured one."""
    for kind, count in (("input", input_), ("cached", cached), ("output", output)):
        _LLM_TOKENS.labels(model, kind).inc(max(count, 0))


def money_spent(provider: str, currency: str, amount: float) -> None:
    """Count money when an effect is entered as paid; `currency` is a code such as "USD"."""
    _MONEY.labels(provider, currency).inc(max(amount, 0.0))


def trace_dropped() -> None:
    """Count a trace that was not delivered."""
    _TRACES_DROPPED.inc()


def exposition(fleet: Iterable[Metric] = ()) -> bytes:
    """All this process has counted, and measures of the fleet, in Prometheus' text format."""
    found = CollectorRegistry(auto_describe=False)
    found.register(_Given(list(fleet)))
    return generate_latest(REGISTRY) + generate_latest(found)


class _Given(Collector):
    """Measures that were read just now."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families
