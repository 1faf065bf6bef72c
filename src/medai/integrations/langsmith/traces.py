"""Traces of language model requests for LangSmith: when, how long, how many tokens, what code.

Questions and answers never leave: a trace is built from an `Exchange`, which has no place for
them, and the library is told to hide inputs and outputs as well. Work never waits for a trace:
a full queue drops it, a failed delivery is told once and counted.
"""

import logging
import queue
import threading
from contextlib import suppress
from typing import Any
from uuid import uuid4

import structlog
from langsmith import Client
from urllib3.util.retry import Retry

from medai.infra import measures
from medai.integrations.openai.models import Exchange

_log = structlog.get_logger(__name__)

QUEUED_AT_MOST = 1_000
_TIMEOUT_MS = 5_000
"""One delivery at most."""
_CLOSE_SECONDS = 3.0
"""How long the end of the process may wait for traces that are still queued."""


class LangSmithTraces:
    """Delivers traces from a thread of its own. `record` is a `models.Trace`."""

    def __init__(
        self, *, api_key: str, base_url: str, project: str, queued_at_most: int = QUEUED_AT_MOST
    ) -> None:
        logging.getLogger("langsmith").setLevel(logging.CRITICAL)  # its lines quote answers
        self._client = Client(
            api_url=base_url.rstrip("/"),
            api_key=api_key,
            auto_batch_tracing=False,
            hide_inputs=True,
            hide_outputs=True,
            omit_traced_runtime_info=True,
            timeout_ms=_TIMEOUT_MS,
            retry_config=Retry(total=0),
        )
        self._project = project
        self._queue: queue.Queue[Exchange | None] = queue.Queue(maxsize=queued_at_most)
        self._told = False
        self._closing = False
        # A daemon: a receiver that hangs must not keep the process alive.
        self._thread = threading.Thread(target=self._deliver, name="langsmith", daemon=True)
        self._thread.start()

    def record(self, exchange: Exchange) -> None:
        """Queue a trace; a full queue drops it."""
        try:
            self._queue.put_nowait(exchange)
        except queue.Full:
            self._failed()

    def close(self) -> None:
        """Deliver what is queued for three seconds at most; blocks meanwhile."""
        self._closing = True
        with suppress(queue.Full):  # the thread looks at `_closing` after each delivery
            self._queue.put_nowait(None)
        self._thread.join(_CLOSE_SECONDS)

    def _deliver(self) -> None:
        while (exchange := self._queue.get()) is not None:
            try:
                self._client.create_run(**_run(exchange, self._project))
            except Exception:  # noqa: BLE001 - whatever a foreign library raises, work goes on
                self._failed()
            if self._closing and self._queue.empty():
                return

    def _failed(self) -> None:
        measures.trace_dropped()
        if not self._told:
            self._told = True
            _log.warning("langsmith traces are not delivered; told once")


def _run(exchange: Exchange, project: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"ls_provider": "openai", "ls_model_name": exchange.model}
    if used := exchange.tokens:
        metadata["usage_metadata"] = {
            "input_tokens": used.input,
            "output_tokens": used.output,
            "total_tokens": used.input + used.output,
            "input_token_details": {"cache_read": used.cached},
        }
    return {
        "id": uuid4(),
        "name": exchange.name,
        "run_type": "llm",
        "inputs": {},
        "outputs": {},
        "project_name": project,
        "start_time": exchange.started_at,
        "end_time": exchange.ended_at,
        "error": exchange.code,
        "extra": {"metadata": metadata},
    }
