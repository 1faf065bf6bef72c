"""A person at work in the CRM: leads that move along their pipeline at a chosen moment."""

from datetime import datetime

from fastapi import APIRouter, HTTPException
from pydantic import AwareDatetime, BaseModel, ConfigDict

from medai.sandbox.amocrm.account import Account, AmoCrm
from medai.sandbox.amocrm.rows import LOST, WON, Row


class MoveOrder(BaseModel):
    """POST /control/amocrm/{subdomain}/move-lead; `at` None = now, `pipeline_id` None = same."""

    model_config = ConfigDict(extra="forbid")
    lead_id: int
    status_id: int
    pipeline_id: int | None = None
    at: AwareDatetime | None = None


def build_router(crm: AmoCrm) -> APIRouter:
    """Routes under /control/amocrm."""
    router = APIRouter()

    @router.post("/{subdomain}/move-lead")
    def move(subdomain: str, order: MoveOrder) -> Row:
        account = crm.accounts.get(subdomain)
        if account is None or account.cards["leads"].get(order.lead_id) is None:
            raise HTTPException(404, f"no lead {order.lead_id} in {subdomain}")
        return _moved(account, order)

    return router


def _moved(account: Account, order: MoveOrder) -> Row:
    """Change the lead and store its lead_status_changed event. Returns the event."""
    old = account.cards["leads"].get(order.lead_id) or {}
    at = _unix(order.at or account.clock())
    pipeline = order.pipeline_id or old.get("pipeline_id")
    after = {"id": order.status_id, "pipeline_id": pipeline}
    before = {"id": old.get("status_id"), "pipeline_id": old.get("pipeline_id")}
    closed = at if order.status_id in (WON, LOST) else None
    moved = {"status_id": order.status_id, "pipeline_id": pipeline, "closed_at": closed}
    account.cards["leads"].put({**old, **moved, "updated_at": at})
    return account.add_event(
        "lead_status_changed",
        "leads",
        order.lead_id,
        [{"lead_status": after}],
        [{"lead_status": before}],
        created_by=int(old.get("responsible_user_id") or 0),
        at=at,
    )


def _unix(moment: datetime) -> int:
    return int(moment.timestamp())
