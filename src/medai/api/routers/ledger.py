"""What requests cost, and what waits for a decision because an answer was lost."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from medai.api.dependencies import App, Installation, Who
from medai.errors import NotFoundError
from medai.kit.days import parse_range, zone
from medai.ledger.costs import CallCosts, CostReport, Grouping
from medai.ledger.models import Decision
from medai.processing.held import HeldItem

router = APIRouter(tags=["ledger"])


class DecisionOrder(BaseModel):
    """Body of POST /held/{item_id}/decision."""

    model_config = ConfigDict(extra="forbid")
    decision: Decision


@router.get("/costs", summary="What a clinic's requests cost")
async def costs(
    app: App,
    who: Who,
    client_id: str,
    start_date: str,
    end_date: str,
    group: Grouping = Grouping.DAY,
) -> CostReport:
    """Sums by business day (or month) of the clinic's zone and by kind; money as exact text."""
    who.require(client_id)
    clinic = await app.clinics.require(client_id)
    days = parse_range(start_date, end_date)
    return await app.ledger.costs(client_id, days, zone(clinic.timezone), group)


@router.get("/costs/calls/{call_id}", summary="What a call cost")
async def call_costs(call_id: str, app: App, who: Who) -> CallCosts:
    """Sums by kind and every paid or posting request, oldest first. 404 for an unknown call."""
    call = await app.calls.get(call_id)
    if call is None or not who.grant.allows(call.client_id):
        raise NotFoundError("Звонок не найден: проверьте номер звонка")
    return await app.ledger.call_costs(call_id)


@router.get("/held", summary="Work that waits for a person's decision")
async def held(app: App, who: Who, client_id: str | None = None) -> dict[str, Any]:
    """Requests whose answer was lost and that are not repeated without being told to."""
    now, client_id = app.clock(), who.clinic(client_id)
    items = [_shown(item, now_seconds=(now - item.since).total_seconds())
             for item in await app.held.items(client_id)]  # fmt: skip
    return {"items": items, "total": len(items)}


@router.post("/held/{item_id}/decision", summary="Decide about held work")
async def decide(item_id: str, order: DecisionOrder, app: App, who: Installation) -> dict[str, Any]:
    """`repeat` may pay once more and the call continues; `give_up` ends the call's step for good.

    404 when nothing of this id is held, 409 when somebody else was faster.
    """
    item = await app.held.decide(item_id, order.decision, by=who.grant.name)
    return {"id": item.id, "call_id": item.call_id, "decision": order.decision}


def _shown(item: HeldItem, *, now_seconds: float) -> dict[str, Any]:
    return {**item.model_dump(mode="json"), "age_seconds": max(0, round(now_seconds))}
