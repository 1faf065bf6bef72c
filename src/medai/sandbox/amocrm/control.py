"""The sandbox's own knobs of the amoCRM accounts, for tests and the demo over HTTP."""

from datetime import timedelta
from typing import Any, Literal

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict

from medai.sandbox.amocrm.account import Account, AmoCrm
from medai.sandbox.amocrm.rows import COLLECTIONS
from medai.sandbox.world.models import CardType


class Order(BaseModel):
    """A body without unknown fields."""

    model_config = ConfigDict(extra="forbid")


class OptionsOrder(Order):
    """Fields of `Options` to change; `event_delay_seconds` stands for `event_delay`."""

    requests_per_second: int | None = None
    account_requests_per_second: int | None = None
    too_many: Literal["json", "html"] | None = None
    retry_after: int | None = None
    ban_after: int | None = None
    ban_window: float | None = None
    code_seconds: int | None = None
    access_seconds: int | None = None
    filters: Literal["on", "ignore", "reject", "reject_custom_fields"] | None = None
    over_limit: Literal["clamp", "reject"] | None = None
    exclusive_edges: bool | None = None
    next_on_full_page: bool | None = None
    notes_touch_cards: bool | None = None
    recordings_url: str | None = None
    event_delay_seconds: float | None = None


class TokenOrder(Order):
    """A pair as after consent, or a long-lived token of `days`."""

    admin: bool = True
    days: int | None = None


class CallOrder(Order):
    """A call note of the account."""

    collection: CardType
    note_id: int


class HoldOrder(CallOrder):
    """The link comes by itself after `seconds`; None = when released."""

    seconds: float | None = None


class DuplicateOrder(CallOrder):
    """Where the same call is posted again; by default on its own card."""

    to_collection: CardType | None = None
    to_entity_id: int | None = None


def build_control_router(crm: AmoCrm) -> APIRouter:
    """Routes under /control/amocrm/{subdomain}."""
    router = APIRouter()
    _add_doors(router, crm)
    _add_calls(router, crm)

    @router.post("/{subdomain}/options")
    def change(subdomain: str, order: OptionsOrder) -> dict[str, bool]:
        options = _account(crm, subdomain).options
        for name, value in order.model_dump(exclude_unset=True).items():
            if name == "event_delay_seconds":
                options.event_delay = None if value is None else timedelta(seconds=value)
            else:
                setattr(options, name, value)
        return {"ok": True}

    return router


def _add_doors(router: APIRouter, crm: AmoCrm) -> None:
    @router.post("/{subdomain}/tokens")
    def issue(subdomain: str, order: TokenOrder) -> dict[str, str]:
        tokens = _account(crm, subdomain).tokens
        if order.days is not None:
            return {"access_token": tokens.issue_long_lived(days=order.days, admin=order.admin)}
        access, refresh = tokens.issue_pair(admin=order.admin)
        return {"access_token": access, "refresh_token": refresh}

    @router.post("/{subdomain}/code")
    def issue_code(subdomain: str) -> dict[str, str]:
        return {"code": _account(crm, subdomain).tokens.issue_code()}

    @router.post("/{subdomain}/revoke-access")
    def revoke_access(subdomain: str) -> dict[str, bool]:
        _account(crm, subdomain).tokens.revoke_access()
        return {"ok": True}

    @router.post("/{subdomain}/revoke-all")
    def revoke_all(subdomain: str) -> dict[str, bool]:
        _account(crm, subdomain).tokens.revoke_all()
        return {"ok": True}

    @router.post("/{subdomain}/unblock")
    def unblock(subdomain: str) -> dict[str, bool]:
        _account(crm, subdomain).limiter.reset()
        return {"ok": True}


def _add_calls(router: APIRouter, crm: AmoCrm) -> None:
    @router.post("/{subdomain}/hold-link")
    def hold(subdomain: str, order: HoldOrder) -> dict[str, bool]:
        account = _account(crm, subdomain)
        _require_note(account, order)
        until = float("inf") if order.seconds is None else _now(account) + order.seconds
        account.notes[order.collection].hold_link(order.note_id, until)
        return {"ok": True}

    @router.post("/{subdomain}/release-link")
    def release(subdomain: str, order: CallOrder) -> dict[str, bool]:
        account = _account(crm, subdomain)
        try:
            account.notes[order.collection].release_link(order.note_id, account.now())
        except KeyError as error:
            raise HTTPException(409, f"the link of {order.note_id} is not held") from error
        return {"ok": True}

    @router.post("/{subdomain}/duplicate-call")
    def duplicate(subdomain: str, order: DuplicateOrder) -> dict[str, Any]:
        account = _account(crm, subdomain)
        _require_note(account, order)
        to = None
        if order.to_collection is not None and order.to_entity_id is not None:
            to = (order.to_collection, order.to_entity_id)
        return account.duplicate_call(order.collection, order.note_id, to=to)

    @router.get("/{subdomain}/notes")
    def common_notes(subdomain: str) -> list[dict[str, Any]]:
        account = _account(crm, subdomain)
        return [
            {"collection": kind, **note}
            for kind in COLLECTIONS
            for note in account.notes[kind].all()
            if note["note_type"] == "common"
        ]


def _account(crm: AmoCrm, subdomain: str) -> Account:
    try:
        return crm.account(subdomain)
    except KeyError as error:
        raise HTTPException(404, f"no account {subdomain}") from error


def _require_note(account: Account, order: CallOrder) -> None:
    if account.notes[order.collection].get(order.note_id) is None:
        raise HTTPException(404, f"no note {order.note_id} in {order.collection}")


def _now(account: Account) -> float:
    return account.clock().timestamp()
