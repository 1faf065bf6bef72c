"""What requests cost, and what waits for a decision because an answer was lost."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from medai.api.dependencies import App, Installation, Who
from medai.api.errors import problems
from medai.api.routers.parameters import ClinicId
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


class ShownHeld(HeldItem):
    """Held work with its age."""

    age_seconds: int = Field(examples=[5400])


class HeldList(BaseModel):
    """Everything that waits for a decision, oldest first."""

    items: list[ShownHeld]
    total: int = Field(examples=[1])


class Decided(BaseModel):
    """What was decided about which call."""

    id: str = Field(examples=["5f2b9c0d1e3a4b5c6d7e8f90"])
    call_id: str = Field(examples=["9c0d1e3a4b5c6d7e8f905f2b"])
    decision: Decision


@router.get("/costs", summary="What a clinic's requests cost", responses=problems(400, 404))
async def costs(
    app: App,
    who: Who,
    client_id: ClinicId,
    start_date: str,
    end_date: str,
    group: Grouping = Grouping.DAY,
) -> CostReport:
    """Sums by business day (or month) of the clinic's zone and by kind; money as exact text."""
    who.require(client_id)
    clinic = await app.clinics.require(client_id)
    days = parse_range(start_date, end_date)
    return await app.ledger.costs(client_id, days, zone(clinic.timezone), group)


@router.get("/costs/calls/{call_id}", summary="What a call cost", responses=problems(404))
async def call_costs(call_id: str, app: App, who: Who) -> CallCosts:
    """Sums by kind and every paid or posting request, oldest first. 404 for an unknown call."""
    call = await app.calls.get(call_id)
    if call is None or not who.grant.allows(call.client_id):
        raise NotFoundError("Звонок не найден: проверьте номер звонка")
    return await app.ledger.call_costs(call_id)


@router.get("/held", summary="Work that waits for a person's decision")
async def held(app: App, who: Who, client_id: str | None = None) -> HeldList:
    """Requests whose answer was lost and that are not repeated without being told to."""
    found = await app.held.items(who.clinic(client_id))
    return HeldList(items=[_shown(item, app.clock()) for item in found], total=len(found))


@router.post(
    "/held/{item_id}/decision", summary="Decide about held work", responses=problems(404, 409)
)
async def decide(item_id: str, order: DecisionOrder, app: App, who: Installation) -> Decided:
    """`repeat` may pay once more and the call continues; `give_up` ends the call's step for good.

    404 when nothing of this id is held, 409 when somebody else was faster.
    """
    item = await app.held.decide(item_id, order.decision, by=who.grant.name)
    return Decided(id=item.id, call_id=item.call_id, decision=order.decision)


def _shown(item: HeldItem, now: datetime) -> ShownHeld:
    age = max(0, round((now - item.since).total_seconds()))
    return ShownHeld(**item.model_dump(), age_seconds=age)
