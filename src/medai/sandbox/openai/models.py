"""The models of the simulated account (openai.md 3), with their announced ends."""

from typing import Any

from medai.sandbox.openai.errors import ApiRefusedError

_CREATED = 1_780_000_000
SHUTDOWN: dict[str, str | None] = {
    "gpt-6-luna": None,
    "gpt-6-sol": None,
    "gpt-6.1-sol": None,
    "gpt-6.1-terra": None,
    "gpt-5.6-luna": None,
    "gpt-5-mini": "2026-12-11",
    "gpt-4.1-mini": "2027-01-14",
    "gpt-4o-mini": "2027-01-14",
    "sandbox-local": None,
}


def listing() -> dict[str, Any]:
    """The body of GET /v1/models."""
    return {"object": "list", "data": [_entry(name) for name in SHUTDOWN]}


def check_model(name: Any) -> str:
    """The name itself. Raises ApiRefusedError: 400 when absent, 404 when unknown."""
    if not isinstance(name, str) or not name:
        raise ApiRefusedError(400, "you must provide a model parameter", param="model")
    if name not in SHUTDOWN:
        raise ApiRefusedError(
            404, f"The model '{name[:60]}' does not exist", code="model_not_found", param="model"
        )
    return name


def _entry(name: str) -> dict[str, Any]:
    ends = {"shutdown_date": SHUTDOWN[name]}
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "openai", **ends}
