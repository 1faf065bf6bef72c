"""amoCRM objects as raw API v4 JSON (amocrm.md 4, 6, 7). Times are unix seconds, UTC."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

WON, LOST = 142, 143
"""Statuses that every pipeline has under the same ids (amocrm.md 7)."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose objects are built."""

    subdomain: str
    account_id: int

    def links(self, path: str) -> Json:
        """`_links` of an object at `path` below the API root."""
        return {"self": {"href": f"https://{self.subdomain}.amocrm.ru/api/v4/{path}"}}


@dataclass(frozen=True, slots=True)
class Times:
    """When a card was made and last changed."""

    created_at: int
    updated_at: int


def field_value(field: Json, value: str) -> Json:
    """One item of `custom_fields_values`; a select carries the enum's id."""
    enum = next((e["id"] for e in field["enums"] or () if e["value"] == value), None)
    item: Json = {"value": value} if enum is None else {"value": value, "enum_id": enum}
    kind = field["type"]
    return {"field_id": field["id"], "field_name": field["name"], "field_code": None} | {
        "field_type": kind,
        "values": [item],
    }


def lead(
    account: Account,
    lead_id: int,
    name: str,
    times: Times,
    *,
    status: tuple[int, int],
    user_id: int,
) -> Json:
    """A lead without contacts or field values yet. `status` is (pipeline id, status id)."""
    closed = status[1] in (WON, LOST)
    return _card(account, "leads", lead_id, name, times, user_id) | {
        "price": 0,
        "pipeline_id": status[0],
        "status_id": status[1],
        "loss_reason_id": None,
        "closed_at": times.updated_at if closed else None,
        "_embedded": {"tags": [], "companies": [], "contacts": []},
    }


def contact(
    account: Account, contact_id: int, name: str, times: Times, *, phone: str, user_id: int
) -> Json:
    """A contact with one telephone number."""
    first, _, last = name.partition(" ")
    return _card(account, "contacts", contact_id, name, times, user_id) | {
        "first_name": first,
        "last_name": last,
        "custom_fields_values": [_phone(phone)],
        "_embedded": {"tags": [], "companies": [], "leads": []},
    }


def company(
    account: Account, company_id: int, name: str, times: Times, *, phone: str, user_id: int
) -> Json:
    """A company card: no leads, no contacts."""
    return _card(account, "companies", company_id, name, times, user_id) | {
        "custom_fields_values": [_phone(phone)],
        "_embedded": {"tags": [], "leads": [], "contacts": []},
    }


def join(account: Account, lead: Json, contacts: Iterable[Json]) -> None:
    """Link a lead and its contacts both ways; the first contact is the main one."""
    for place, person in enumerate(contacts):
        links = account.links(f"contacts/{person['id']}")
        lead["_embedded"]["contacts"].append(
            {"id": person["id"], "is_main": place == 0, "_links": links}
        )
        links = account.links(f"leads/{lead['id']}")
        person["_embedded"]["leads"].append({"id": lead["id"], "_links": links})


def _card(account: Account, kind: str, card_id: int, name: str, times: Times, user_id: int) -> Json:
    return {
        "id": card_id,
        "name": name,
        "responsible_user_id": user_id,
        "group_id": 0,
        "created_by": user_id,
        "updated_by": user_id,
        "created_at": times.created_at,
        "updated_at": times.updated_at,
        "closest_task_at": None,
        "is_deleted": False,
        "custom_fields_values": None,
        "account_id": account.account_id,
        "_links": account.links(f"{kind}/{card_id}"),
    }


def _phone(number: str) -> Json:
    values = [{"value": number, "enum_id": 11, "enum_code": "MOB"}]
    head = {"field_id": 10, "field_name": "Телефон", "field_code": "PHONE"}
    return head | {"field_type": "multitext", "values": values}
