"""A reading of the fleet as Prometheus measures (docs/operations.md lists them). Pure.

Labels: queues, states, stages, providers and clinic ids; never a call, a phone or a name.
"""

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily

from medai.calls.models import Stage
from medai.infra.job_figures import QueueFigures, WorkerFigures
from medai.limits.state import LimitState
from medai.processing.figures import Reading
from medai.processing.ports import Queue

_JOB_STATES = ("todo", "doing", "failed")
"""The engine's words; done jobs are deleted."""


def families(reading: Reading) -> list[GaugeMetricFamily]:
    """All gauges; queues and stages without anything in them are zeros, not gaps."""
    found = [_missing(reading)]
    if "queues" not in reading.missing:
        found += _queues(reading.queues)
    if reading.workers is not None:
        found += _workers(reading.workers)
    if "calls" not in reading.missing:
        found += _calls(reading)
    found += _quotas(reading.quotas)
    if "stops" not in reading.missing:
        found.append(_counted("medai_stops", "Providers that stand still until a person acts",
                              "provider", reading.stops))  # fmt: skip
    if "held" not in reading.missing:
        found.append(_counted("medai_held", "Work whose paid answer was lost: medai held list",
                              "kind", reading.held))  # fmt: skip
    return found


def _missing(reading: Reading) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(
        "medai_figures_missing", "1: this part of the figures could not be read", labels=["part"]
    )
    for part in ("queues", "workers", "calls", "quotas", "stops", "held"):
        gauge.add_metric([part], part in reading.missing)
    return gauge


def _queues(queues: Iterable[QueueFigures]) -> list[GaugeMetricFamily]:
    jobs = GaugeMetricFamily(
        "medai_jobs", "Jobs by queue and state of the engine", labels=["queue", "state"]
    )
    due = GaugeMetricFamily("medai_jobs_due", "Jobs that may start now", labels=["queue"])
    oldest = GaugeMetricFamily(
        "medai_oldest_due_job_seconds", "How long the oldest due job waits; 0: none is due",
        labels=["queue"],
    )  # fmt: skip
    known = {one.queue: one for one in queues}
    for queue in Queue:
        found = known.get(queue.value, QueueFigures(queue.value, {}, 0, None))
        for state in _JOB_STATES:
            jobs.add_metric([queue.value, state], found.jobs.get(state, 0))
        due.add_metric([queue.value], found.due)
        oldest.add_metric([queue.value], found.oldest_due_seconds or 0.0)
    return [jobs, due, oldest]


def _workers(found: WorkerFigures) -> list[GaugeMetricFamily]:
    workers = GaugeMetricFamily(
        "medai_workers", "Workers of queues by their last report", labels=["state"]
    )
    workers.add_metric(["alive"], found.alive)
    workers.add_metric(["silent"], found.silent)
    stalled = GaugeMetricFamily(
        "medai_jobs_stalled", "Jobs under way whose worker is silent", value=found.stalled_jobs
    )
    return [workers, stalled]


def _calls(reading: Reading) -> list[GaugeMetricFamily]:
    calls = GaugeMetricFamily(
        "medai_calls", "Calls of the last 7 business days by stage", labels=["stage"]
    )
    oldest = GaugeMetricFamily(
        "medai_oldest_unfinished_call_seconds",
        "Age of the oldest call with an open step by stage; 0: there is none",
        labels=["stage"],
    )
    for stage in Stage:
        calls.add_metric([stage.value], reading.stages.get(stage.value, 0))
        oldest.add_metric([stage.value], reading.oldest_seconds.get(stage.value, 0.0))
    return [calls, oldest]


def _quotas(states: Iterable[LimitState]) -> list[GaugeMetricFamily]:
    labels = ["client_id", "period"]
    used = GaugeMetricFamily("medai_quota_used_seconds", "Recognised and counted", labels=labels)
    held = GaugeMetricFamily("medai_quota_held_seconds", "Held by calls under way", labels=labels)
    limit = GaugeMetricFamily("medai_quota_limit_seconds", "Allowed", labels=labels)
    for state in states:
        for period in (state.month, state.week):
            who = [state.client_id, period.kind]
            used.add_metric(who, period.used_seconds)
            held.add_metric(who, period.held_seconds)
            limit.add_metric(who, period.limit_seconds)
    return [used, held, limit]


def _counted(name: str, words: str, label: str, counts: dict[str, int]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, words, labels=[label])
    for value, count in sorted(counts.items()):
        gauge.add_metric([value], count)
    return gauge
