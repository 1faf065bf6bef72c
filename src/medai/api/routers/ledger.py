"""What requests cost, and what waits for a decision because an answer was lost."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from medai.api.dependencies import App
from medai.errors import NotFoundError
from medai.kit.days import parse_range, zone
from medai.ledger.costs import CallCosts, CostReport, Grouping
from medai.ledger.models import Decision
from medai.processing.held import HeldItem

router = APIRouter(tags=["ledger"])

DECIDED_BY_API = "api"
"""The owner's key has no name of its own."""


class DecisionOrder(BaseModel):
    """Body of POST /held/{item_id}/decision."""

    model_config = ConfigDict(extra="forbid")
    decision: Decision


@router.get("/costs", summary="What a clinic's requests cost")
async def costs(
    app: App, client_id: str, start_date: str, end_date: str, group: Grouping = Grouping.DAY
) -> CostReport:
    """Sums by business day (or month) of the clinic's zone and by kind; money as exact text."""
    clinic = await app.clinics.require(client_id)
    days = parse_range(start_date, end_date)
    return await app.ledger.costs(client_id, days, zone(clinic.timezone), group)


@router.get("/costs/calls/{call_id}", summary="What a call cost")
async def call_costs(call_id: str, app: App) -> CallCosts:
    """Sums by kind and every paid or posting request, oldest first. 404 for an unknown call."""
    if await app.calls.get(call_id) is None:
        raise NotFoundError("Звонок не найден: проверьте номер звонка")
    return await app.ledger.call_costs(call_id)


@router.get("/held", summary="Work that waits for a person's decision")
async def held(app: App, client_id: str | None = None) -> dict[str, Any]:
    """Requests whose answer was lost and that are not repeated without being told to."""
    now = app.clock()
    items = [_shown(item, now_seconds=(now - item.since).total_seconds())
             for item in await app.held.items(client_id)]  # fmt: skip
    return {"items": items, "total": len(items)}


@router.post("/held/{item_id}/decision", summary="Decide about held work")
async def decide(item_id: str, order: DecisionOrder, app: App) -> dict[str, Any]:
    """`repeat` may pay once more and the call continues; `give_up` ends the call's step for good.

    404 when nothing of this id is held, 409 when somebody else was faster.
    """
    item = await app.held.decide(item_id, order.decision, by=DECIDED_BY_API)
    return {"id": item.id, "call_id": item.call_id, "decision": order.decision}


def _shown(item: HeldItem, *, now_seconds: float) -> dict[str, Any]:
    return {**item.model_dump(mode="json"), "age_seconds": max(0, round(now_seconds))}
