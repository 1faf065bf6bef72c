"""A client of the sandbox's control door, for tests, the demo and scripts."""

from types import TracebackType
from typing import Any, Self

import httpx2

_SECONDS = 35.0
"""Longer than the longest wait that the control side offers (30 s)."""


class Control:
    """Blocking calls to /control of the sandbox at `url`. Raises httpx2.HTTPStatusError."""

    def __init__(self, url: str) -> None:
        self._http = httpx2.Client(base_url=f"{url}/control", timeout=_SECONDS, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def fail(
        self,
        target: str,
        kind: str,
        *,
        times: int = 1,
        match: str = "",
        seconds: float = 0.0,
        status: int | None = None,
    ) -> None:
        """Script a fault (kinds: `faults.KINDS`). `match` is searched in "METHOD /path"."""
        order = {"target": target, "kind": kind, "times": times, "match": match}
        self.post("/faults", **order, seconds=seconds, status=status)

    def pending_faults(self) -> dict[str, list[dict[str, Any]]]:
        """Scripted faults that have not happened yet, per target."""
        found: dict[str, list[dict[str, Any]]] = self.get("/faults")
        return found

    def clear_faults(self) -> None:
        """Cancel every scripted fault."""
        self._http.delete("/faults").raise_for_status()

    def reset(self) -> None:
        """Back to the start: no faults, empty ledger, CRM and chats as generated, real clock."""
        self.post("/reset")

    def truth(self) -> dict[str, Any]:
        """The ground truth of the world."""
        found: dict[str, Any] = self.get("/truth")
        return found

    def bill(self) -> dict[str, Any]:
        """What the providers saw and would have billed."""
        found: dict[str, Any] = self.get("/bill")
        return found

    def clinics(self) -> list[dict[str, Any]]:
        """What a person copies from each clinic's amoCRM settings."""
        found: list[dict[str, Any]] = self.get("/clinics")
        return found

    def keys(self) -> dict[str, str]:
        """The keys the simulators accept: elevenlabs, openai, telegram."""
        found: dict[str, str] = self.get("/keys")
        return found

    def advance_clock(self, seconds: float) -> None:
        """Move the sandbox's clock (token lifetimes, event delays)."""
        self.post("/clock", advance_seconds=seconds)

    def get(self, path: str, **query: Any) -> Any:
        """JSON of GET /control<path>."""
        answer = self._http.get(path, params=query)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, **body: Any) -> Any:
        """JSON of POST /control<path> with a JSON body."""
        answer = self._http.post(path, json=body)
        answer.raise_for_status()
        return answer.json()
