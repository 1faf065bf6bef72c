"""The sandbox's own door: truth, bill, fault script and clock. No provider has it."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict

from medai.sandbox import credentials
from medai.sandbox.bill import bill
from medai.sandbox.faults import Fault, Target, UnknownFaultError
from medai.sandbox.state import Sandbox
from medai.sandbox.world.models import SimClinic
from medai.sandbox.world.truth import truth


class FaultOrder(BaseModel):
    """A fault as POST /control/faults takes it; fields as in `faults.Fault`."""

    model_config = ConfigDict(extra="forbid")
    target: Target
    kind: str
    times: int = 1
    match: str = ""
    seconds: float = 0.0
    status: int | None = None


class ClockOrder(BaseModel):
    """POST /control/clock: how far the sandbox's clock moves."""

    model_config = ConfigDict(extra="forbid")
    advance_seconds: float


def build_router(sandbox: Sandbox, resets: Sequence[Callable[[], None]]) -> APIRouter:
    """The routes under /control; `resets` bring every simulator back to its start."""
    router = APIRouter()
    _add_facts(router, sandbox)
    _add_faults(router, sandbox)

    @router.post("/reset")
    async def reset() -> dict[str, bool]:
        for forget in resets:
            forget()
        return {"ok": True}

    @router.post("/clock")
    async def move_clock(order: ClockOrder) -> dict[str, str]:
        sandbox.clock.advance(order.advance_seconds)
        return {"now": sandbox.clock().isoformat()}

    return router


def _add_facts(router: APIRouter, sandbox: Sandbox) -> None:
    @router.get("/truth")
    def read_truth() -> dict[str, Any]:
        return truth(sandbox.world)

    @router.get("/bill")
    def read_bill() -> dict[str, Any]:
        return bill(sandbox.ledger)

    @router.get("/clinics")
    def read_clinics() -> list[dict[str, Any]]:
        return [_clinic(clinic) for clinic in sandbox.world.clinics]

    @router.get("/keys")
    def read_keys() -> dict[str, str]:
        return {
            "elevenlabs": credentials.ELEVENLABS_KEY,
            "openai": credentials.OPENAI_KEY,
            "telegram": credentials.BOT_TOKEN,
        }


def _add_faults(router: APIRouter, sandbox: Sandbox) -> None:
    @router.get("/faults")
    def read_faults() -> dict[str, list[dict[str, Any]]]:
        pending = sandbox.faults.pending()
        return {target: [asdict(fault) for fault in script] for target, script in pending.items()}

    @router.post("/faults")
    def add_fault(order: FaultOrder) -> dict[str, bool]:
        fault = Fault(**order.model_dump(exclude={"target"}))
        try:
            sandbox.faults.add(order.target, fault)
        except UnknownFaultError as error:
            raise HTTPException(422, str(error)) from error
        return {"ok": True}

    @router.delete("/faults")
    def clear_faults() -> dict[str, bool]:
        sandbox.faults.clear()
        return {"ok": True}


def _clinic(clinic: SimClinic) -> dict[str, Any]:
    """What a person copies from the integration's page in amoCRM, plus the clinic's own facts."""
    return {
        "client_id": clinic.client_id,
        "client_secret": clinic.client_secret,
        "redirect_url": clinic.redirect_url,
        "auth_code": clinic.auth_code,
        "subdomain": clinic.subdomain,
        "name": clinic.name,
        "timezone": clinic.timezone,
        "attribution": clinic.attribution,
        "schedule": [
            {"day": s.day.isoformat(), "first_name": s.first_name, "last_name": s.last_name}
            for s in clinic.schedule
        ],
    }
