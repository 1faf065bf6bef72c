"""Minutes of clinics as old clients ask for them (contract 1.5, 5.6)."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from tests.fixtures.clinic_at_work import ClinicAtWork
from tests.fixtures.key_holder import key_holder
from tests.fixtures.service import Doors, doors_of
from tests.fixtures.shapes import shaped

from medai.cli.demo.scenario import connect

ALL = {
    "clinics": [
        {
            "client_id": str,
            "name": str,
            "monthly_limit_minutes": float,
            "current_month_minutes": float,
            "remaining_minutes": float,
            "usage_percent": float,
        }
    ],
    "total_limit_minutes": float,
    "total_used_minutes": float,
    "total_remaining_minutes": float,
}
LIMITS = {
    "client_id": str,
    "clinic_name": str,
    "monthly_limit_minutes": float,
    "current_month_minutes": float,
    "remaining_minutes": float,
    "usage_percent": float,
    "weekly_limit_minutes": float,
    "current_week_minutes": float,
    "weekly_remaining_minutes": float,
    "weekly_usage_percent": float,
    "last_reset_date": str,
    "last_week_reset_date": str,
}
ADDED = {
    "success": True,
    "clinic_name": str,
    "minutes_added": float,
    "previous_limit": float,
    "new_limit": float,
    "current_usage": float,
    "remaining_minutes": float,
}
EVERY = "/api/clinics/limits/all"


@pytest.fixture
async def doors(at_work: ClinicAtWork) -> AsyncIterator[Doors]:
    async with doors_of(at_work.app) as opened:
        yield opened


@pytest.fixture
def path(at_work: ClinicAtWork) -> str:
    return f"/api/admin/clinics/{at_work.client_id}/limits"


async def _used(at_work: ClinicAtWork, seconds: float, *, call: str = "call") -> None:
    await at_work.app.limits.reserve(at_work.client_id, call, seconds)
    await at_work.app.limits.settle(at_work.client_id, call, seconds)


async def test_get_limits_all(doors: Doors, at_work: ClinicAtWork) -> None:
    other = at_work.sandbox.control.clinics()[1]
    await connect(at_work.app, other)
    await _used(at_work, 5000)
    answer = await doors.owner.get(EVERY)
    assert answer.status_code == 200
    shaped(answer.json(), ALL)
    body = answer.json()
    own = next(one for one in body["clinics"] if one["client_id"] == at_work.client_id)
    assert (own["current_month_minutes"], own["remaining_minutes"], own["usage_percent"]) == (
        83.33, 2916.67, 2.78,
    )  # fmt: skip
    assert (body["total_limit_minutes"], body["total_used_minutes"]) == (6000, 83.33)
    async with key_holder(doors, client_ids=[at_work.client_id]) as holder:
        seen = (await holder.get(EVERY)).json()
        foreign = f"/api/admin/clinics/{other['client_id']}/limits"
        assert [one["client_id"] for one in seen["clinics"]] == [at_work.client_id]
        assert seen["total_limit_minutes"] == 3000
        assert (await holder.get(foreign)).status_code == 404


async def test_a_month_that_has_ended_counts_no_more(doors: Doors, at_work: ClinicAtWork) -> None:
    await _used(at_work, 600)
    at_work.clock.pass_time(timedelta(days=12))
    (own,) = (await doors.owner.get(EVERY)).json()["clinics"]
    assert own["current_month_minutes"] == 0


async def test_a_clinic_of_an_unknown_zone_hides_no_minutes(
    doors: Doors, at_work: ClinicAtWork, path: str
) -> None:
    await _used(at_work, 600)
    await at_work.clinic(timezone="Mars/Olympus")
    (own,) = (await doors.owner.get(EVERY)).json()["clinics"]
    assert own["current_month_minutes"] == 10
    shown = (await doors.owner.get(path)).json()
    assert shown["timezone"] == "Europe/Moscow"
    # Work with its minutes stands still with the true reason.
    changed = await doors.owner.post(f"{path}/reset")
    assert changed.status_code == 400
    assert "Mars/Olympus" in changed.json()["detail"]


async def test_get_limits(doors: Doors, at_work: ClinicAtWork, path: str) -> None:
    await _used(at_work, 40_000)
    await at_work.app.limits.reserve(at_work.client_id, "under way", 60)
    older = f"/api/admin/clinic-limits/{at_work.client_id}"
    answers = [await doors.owner.get(one) for one in (path, older)]
    assert [answer.status_code for answer in answers] == [200, 200]
    body = answers[0].json()
    shaped(body, LIMITS)
    assert body == answers[1].json()
    assert (body["weekly_limit_minutes"], body["current_week_minutes"]) == (750, 666.67)
    assert (body["weekly_remaining_minutes"], body["weekly_usage_percent"]) == (83.33, 88.89)
    assert body["last_reset_date"] == "2026-11-01T00:00:00+03:00"
    assert body["last_week_reset_date"] == "2026-11-16T00:00:00+03:00"
    assert body["next_week_reset_date"] == "2026-11-23T00:00:00+03:00"
    assert body["reserved_minutes"] == 1
    assert [(one["period"], one["percent"]) for one in body["warnings"]] == [("week", 80)]
    for name in ("clinics/nobody/limits", "clinic-limits/nobody"):
        assert (await doors.owner.get(f"/api/admin/{name}")).status_code == 404


async def test_put_limits(doors: Doors, at_work: ClinicAtWork, path: str) -> None:
    query = {"monthly_limit_minutes": 1200.5, "current_usage_minutes": 90.25}
    answer = await doors.owner.put(path, params=query)
    assert answer.status_code == 200
    shaped(answer.json(), {"success": True, "message": str, "monthly_limit_minutes": 1200.5,
                           "current_usage_minutes": 90.25})  # fmt: skip
    kept = await doors.owner.put(path, params={"monthly_limit_minutes": 100})
    assert kept.json()["current_usage_minutes"] == 90.25
    shown = (await doors.owner.get(path)).json()
    assert (shown["monthly_limit_minutes"], shown["weekly_limit_minutes"]) == (100, 750)
    unknown = path.replace(at_work.client_id, "nobody")
    assert (await doors.owner.put(unknown, params=query)).status_code == 404


async def test_put_limits_with_nonsense(doors: Doors, path: str) -> None:
    for value in ("nan", "inf", "-1", "1e300", "1000001", "много", ""):
        query = {"monthly_limit_minutes": value}
        assert (await doors.owner.put(path, params=query)).status_code == 422, value
    assert (await doors.owner.put(path)).status_code == 422
    async with key_holder(doors) as reader:
        query = {"monthly_limit_minutes": "1"}
        assert (await reader.put(path, params=query)).status_code == 403
    assert (await doors.owner.get(path)).json()["monthly_limit_minutes"] == 3000


async def test_a_clinic_does_not_raise_its_own_limit(
    doors: Doors, at_work: ClinicAtWork, path: str
) -> None:
    async with key_holder(doors, client_ids=[at_work.client_id], may_write=True) as holder:
        refused = [
            await holder.put(path, params={"monthly_limit_minutes": 9000}),
            await holder.post(f"{path}/add", json={"minutes": 9000}),
            await holder.post(f"{path}/reset"),
        ]
        assert [answer.status_code for answer in refused] == [403] * 3
        assert (await holder.get(path)).json()["monthly_limit_minutes"] == 3000


async def test_post_limits_reset(doors: Doors, at_work: ClinicAtWork, path: str) -> None:
    await _used(at_work, 600)
    answer = await doors.owner.post(f"{path}/reset")
    assert answer.status_code == 200
    shaped(answer.json(), {"success": True, "message": str, "reset_date": str})
    shown = (await doors.owner.get(path)).json()
    assert (shown["current_month_minutes"], shown["current_week_minutes"]) == (0, 10)
    unknown = path.replace(at_work.client_id, "nobody")
    assert (await doors.owner.post(f"{unknown}/reset")).status_code == 404


async def test_post_limits_add(doors: Doors, at_work: ClinicAtWork, path: str) -> None:
    await _used(at_work, 600)
    older = f"/api/admin/clinic-limits/{at_work.client_id}/add-tokens"
    answer = await doors.owner.post(f"{path}/add", json={"minutes": 300, "reason": "оплата"})
    assert answer.status_code == 200
    shaped(answer.json(), ADDED)
    assert answer.json() == {
        "success": True,
        "clinic_name": (await at_work.clinic()).name,
        "minutes_added": 300,
        "previous_limit": 3000,
        "new_limit": 3300,
        "current_usage": 10,
        "remaining_minutes": 3290,
    }
    by_query = await doors.owner.post(f"{path}/add", params={"minutes": 0.5})
    assert by_query.json()["new_limit"] == 3300.5
    by_older_name = await doors.owner.post(older, json={"minutes": 1, "weekly_minutes": 50})
    assert by_older_name.json()["new_limit"] == 3301.5
    assert (await doors.owner.get(path)).json()["weekly_limit_minutes"] == 800
    assert (await at_work.clinic()).limits.topped_up_at == at_work.clock()


async def test_post_limits_add_with_nonsense(
    doors: Doors, at_work: ClinicAtWork, path: str
) -> None:
    assert (await doors.owner.post(f"{path}/add")).status_code == 400
    for minutes in (-1, 10**400, "много"):
        assert (await doors.owner.post(f"{path}/add", json={"minutes": minutes})).status_code == 422
    # A million in sum is beyond reason, too.
    assert (await doors.owner.post(f"{path}/add", json={"minutes": 999_999})).status_code == 400
    unknown = path.replace(at_work.client_id, "nobody")
    assert (await doors.owner.post(f"{unknown}/add", json={"minutes": 1})).status_code == 404
    assert (await doors.owner.get(path)).json()["monthly_limit_minutes"] == 3000
