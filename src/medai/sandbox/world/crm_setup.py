"""What is set up in an amoCRM account, as raw API v4 JSON (amocrm.md 7)."""

from collections.abc import Sequence

from medai.sandbox.world.crm import LOST, WON, Account, Json


def user(account: Account, user_id: int, name: str) -> Json:
    """An amoCRM user, an administrator of the clinic."""
    email = f"user{user_id}@{account.subdomain}.example"
    rights = {"is_admin": False, "is_active": True}
    links = account.links(f"users/{user_id}")
    return {"id": user_id, "name": name, "email": email, "lang": "ru", "rights": rights} | {
        "_links": links
    }


def pipeline(account: Account, pipeline_id: int, name: str, statuses: Sequence[str]) -> Json:
    """A pipeline: its unsorted status, the named ones, won and lost."""
    named = [(pipeline_id * 10 + i, title, 0) for i, title in enumerate(statuses, start=1)]
    rows = [(pipeline_id * 10, "Неразобранное", 1), *named]
    rows += [(WON, "Успешно реализовано", 0), (LOST, "Закрыто и не реализовано", 0)]
    return {
        "id": pipeline_id,
        "name": name,
        "sort": pipeline_id,
        "is_main": False,
        "is_unsorted_on": True,
        "is_archive": False,
        "account_id": account.account_id,
        "_links": account.links(f"leads/pipelines/{pipeline_id}"),
        "_embedded": {
            "statuses": [_status(account, pipeline_id, i, row) for i, row in enumerate(rows)]
        },
    }


def _status(account: Account, pipeline_id: int, place: int, row: tuple[int, str, int]) -> Json:
    status_id, name, kind = row
    sort = {WON: 10000, LOST: 11000}.get(status_id, (place + 1) * 10)
    return {
        "id": status_id,
        "name": name,
        "sort": sort,
        "is_editable": kind == 0 and status_id not in (WON, LOST),
        "pipeline_id": pipeline_id,
        "color": "#99ccff",
        "type": kind,
        "account_id": account.account_id,
        "_links": account.links(f"leads/pipelines/{pipeline_id}/statuses/{status_id}"),
    }


def custom_field(
    account: Account, field_id: int, name: str, enums: Sequence[tuple[int, str]] = ()
) -> Json:
    """A custom field of leads: a select when it has enums, else text."""
    values = [{"id": e, "value": v, "sort": i * 10} for i, (e, v) in enumerate(enums)]
    return {
        "id": field_id,
        "name": name,
        "type": "select" if enums else "text",
        "entity_type": "leads",
        "code": None,
        "sort": field_id,
        "account_id": account.account_id,
        "enums": values or None,
        "_links": account.links(f"leads/custom_fields/{field_id}"),
    }
