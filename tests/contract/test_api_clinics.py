"""Clinics and their settings as old clients ask for them (contract 1.5)."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
from tests.fixtures.clinic_at_work import ClinicAtWork
from tests.fixtures.key_holder import key_holder
from tests.fixtures.service import Doors, doors_of
from tests.fixtures.shapes import shaped

from medai.crm.tokens import TOKENS
from medai.errors import ProviderUnavailableError

CLINIC = {
    "id": str,
    "name": str,
    "client_id": str,
    "amocrm_subdomain": str,
    "amocrm_pipeline_id": (int, None),
    "monthly_limit": int,
    "current_month_usage": int,
    "last_reset_date": str,
    "created_at": str,
    "updated_at": str,
    "datalens_dashboard_url": (str, None),
    "administrators": [
        {
            "id": str,
            "name": str,
            "email": str,
            "amocrm_user_id": str,
            "monthly_limit": (int, None),
            "current_month_usage": int,
        }
    ],
}
CONNECTED = {
    "success": True,
    "message": str,
    "data": {"clinic_id": str, "name": str, "administrator_count": int, "is_new": bool},
}
RENEWED = {
    "success": True,
    "message": str,
    "data": {
        "token_info": {
            "client_id": str,
            "has_access_token": True,
            "has_refresh_token": True,
            "has_subdomain": True,
            "updated_at": str,
        },
        "access_token_preview": str,
        "clinic_id": str,
    },
}
CLINICS = "/api/admin/clinics"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def doors(at_work: ClinicAtWork) -> AsyncIterator[Doors]:
    async with doors_of(at_work.app) as opened:
        yield opened


def order(at_work: ClinicAtWork, place: int, **changes: Any) -> dict[str, Any]:
    """What the old front end sends for a clinic of the sandbox."""
    known = at_work.sandbox.control.clinics()[place]
    return {
        "name": known["name"],
        "amocrm_subdomain": known["subdomain"],
        "client_id": known["client_id"],
        "client_secret": known["client_secret"],
        "redirect_url": known["redirect_url"],
        "auth_code": known["auth_code"],
        "monthly_limit": 100,
        **changes,
    }


async def test_get_admin_clinics(doors: Doors, at_work: ClinicAtWork) -> None:
    await doors.application.limits.reserve(at_work.client_id, "call", 600)
    await doors.application.limits.settle(at_work.client_id, "call", 600)
    answer = await doors.owner.get(CLINICS)
    assert answer.status_code == 200
    shaped(answer.json(), [CLINIC])
    (clinic,) = answer.json()
    world = at_work.sandbox.world.clinics[0]
    assert clinic["client_id"] == at_work.client_id
    assert (clinic["monthly_limit"], clinic["current_month_usage"]) == (3000, 10)
    assert datetime.fromisoformat(clinic["last_reset_date"]).isoformat().startswith("2026-11-01T00")
    assert {one["amocrm_user_id"] for one in clinic["administrators"]} == {
        str(user["id"]) for user in world.users
    }
    known = at_work.sandbox.control.clinics()[0]
    assert known["client_secret"] not in answer.text


async def test_a_key_of_one_clinic_sees_this_one_and_connects_none(
    doors: Doors, at_work: ClinicAtWork
) -> None:
    assert (await doors.owner.post(CLINICS, json=order(at_work, 1))).status_code == 200
    assert len((await doors.owner.get(CLINICS)).json()) == 2
    async with key_holder(doors, client_ids=[at_work.client_id], may_write=True) as holder:
        assert [one["client_id"] for one in (await holder.get(CLINICS)).json()] == [
            at_work.client_id
        ]
        assert (await holder.post(CLINICS, json=order(at_work, 0))).status_code == 403
        foreign = at_work.sandbox.control.clinics()[1]["client_id"]
        for clinic_id in (foreign, "nobody"):
            answers = [
                await holder.get(f"/api/clinics/{clinic_id}/settings"),
                await holder.patch(f"/api/clinics/{clinic_id}/settings", json={}),
                await holder.post(f"{CLINICS}/{clinic_id}/refresh-token"),
                await holder.put(
                    f"{CLINICS}/{clinic_id}/datalens-url",
                    json={"datalens_dashboard_url": ""},
                ),
            ]
            assert [answer.status_code for answer in answers] == [404] * 4
            assert len({answer.text.replace(clinic_id, "X") for answer in answers}) == 1


async def test_a_clinic_of_an_unknown_zone_hides_no_other(
    doors: Doors, at_work: ClinicAtWork
) -> None:
    await at_work.clinic(timezone="Mars/Olympus")
    answer = await doors.owner.get(CLINICS)
    assert answer.status_code == 200
    shaped(answer.json(), [CLINIC])


async def test_post_admin_clinics(doors: Doors, at_work: ClinicAtWork) -> None:
    sent = order(at_work, 1)
    answer = await doors.owner.post(CLINICS, json=sent)
    assert answer.status_code == 200
    shaped(answer.json(), CONNECTED)
    data = answer.json()["data"]
    assert (data["name"], data["is_new"]) == (sent["name"], True)
    assert data["administrator_count"] == len(at_work.sandbox.world.clinics[1].users)
    assert sent["client_secret"] not in answer.text
    stored = await doors.application.clinics.require(sent["client_id"])
    assert (stored.id, stored.limits.monthly_seconds) == (data["clinic_id"], 3000 * 60)
    assert await (await doors.application.accounts.of(stored)).users()


async def test_post_admin_clinics_again_keeps_what_is_not_sent(
    doors: Doors, at_work: ClinicAtWork
) -> None:
    before = await at_work.clinic(timezone="Asia/Omsk", admin_detection_method="ai_schedule")
    code = at_work.sandbox.control.post(f"/amocrm/{at_work.subdomain}/code")["code"]
    sent = order(at_work, 0, name="Другое имя", auth_code=code)
    answer = await doors.owner.post(CLINICS, json=sent)
    data = answer.json()["data"]
    assert (data["is_new"], data["clinic_id"]) == (False, before.id)
    after = await doors.application.clinics.require(at_work.client_id)
    assert after.name == "Другое имя"
    assert (after.timezone, after.admin_detection_method) == ("Asia/Omsk", "ai_schedule")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"auth_code": "used"}, "Код подключения"),
    ({"client_secret": "wrong"}, "client_secret"),
    ({"amocrm_subdomain": "evil.example/"}, "Поддомен"),
    ({"timezone": "Europe"}, "часовой пояс"),
    ({"admin_detection_method": "guess"}, "amocrm или ai_schedule"),
]


async def test_post_admin_clinics_refused(doors: Doors, at_work: ClinicAtWork) -> None:
    for changes, reason in REFUSED:
        sent = order(at_work, 1, **changes)
        answer = await doors.owner.post(CLINICS, json=sent)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")
        assert reason in answer.json()["detail"]
        assert order(at_work, 1)["client_secret"] not in answer.text
        assert await doors.application.clinics.by_client_id(sent["client_id"]) is None


async def test_post_admin_clinics_while_the_crm_is_down(
    doors: Doors, at_work: ClinicAtWork
) -> None:
    control, sent = at_work.sandbox.control, order(at_work, 1)
    control.fail("amocrm", "server_error", status=503, match="oauth2")
    away = await doors.owner.post(CLINICS, json=sent)
    assert (away.status_code, away.json()["code"]) == (400, "invalid_input")
    assert "код авторизации ещё не использован" in away.json()["detail"]
    control.fail("amocrm", "server_error", times=9, match="users")
    unread = await doors.owner.post(CLINICS, json=sent)
    assert unread.status_code == 400
    assert "Доступ получен" in unread.json()["detail"]


async def test_post_refresh_token(doors: Doors, at_work: ClinicAtWork) -> None:
    clinic = await at_work.clinic()
    before = await doors.application.documents.get(TOKENS, at_work.client_id)
    for clinic_id in (clinic.id, clinic.client_id):
        answer = await doors.owner.post(f"{CLINICS}/{clinic_id}/refresh-token")
        assert answer.status_code == 200
        shaped(answer.json(), RENEWED)
        data = answer.json()["data"]
        assert data["clinic_id"] == clinic.id
        assert data["access_token_preview"].startswith("…")
        assert len(data["access_token_preview"]) == 5
    after = await doors.application.documents.get(TOKENS, at_work.client_id)
    assert before is not None
    assert after is not None
    assert before["access_token"] != after["access_token"]
    # The account that was open before works on with the new pair.
    assert await (await doors.application.accounts.of(clinic)).users()


async def test_post_refresh_token_with_corrected_credentials(
    doors: Doors, at_work: ClinicAtWork
) -> None:
    known = at_work.sandbox.control.clinics()[0]
    await at_work.clinic(redirect_url="https://wrong.example/oauth")
    path = f"{CLINICS}/{at_work.client_id}/refresh-token"
    refused = await doors.owner.post(path, params={"client_secret": "wrong"})
    assert (refused.status_code, refused.json()["code"]) == (502, "provider_stopped")
    good = {"client_secret": known["client_secret"], "redirect_url": known["redirect_url"]}
    for answer in (
        await doors.owner.post(path, params=good),
        await doors.owner.post(path, json=good),
    ):
        assert answer.status_code == 200
        assert known["client_secret"] not in answer.text
    assert (await at_work.clinic()).redirect_url == known["redirect_url"]


async def test_post_refresh_token_without_an_account(doors: Doors) -> None:
    local = await doors.application.registration.local("Без CRM")
    answer = await doors.owner.post(f"{CLINICS}/{local.client_id}/refresh-token")
    assert answer.status_code == 400
    assert "подключите" in answer.json()["detail"]


async def test_put_datalens_url(doors: Doors, at_work: ClinicAtWork) -> None:
    path = f"{CLINICS}/{at_work.client_id}/datalens-url"
    url = "https://datalens.yandex.ru/abc"
    answer = await doors.owner.put(path, json={"datalens_dashboard_url": url})
    assert answer.status_code == 200
    shaped(answer.json(), {"message": str, "client_id": at_work.client_id, "new_url": url})
    assert (await doors.owner.get(CLINICS)).json()[0]["datalens_dashboard_url"] == url
    script = {"datalens_dashboard_url": "javascript:alert(1)"}
    for wrong in ("javascript:alert(1)", "https://", 'https://x"><script>', "http://a b"):
        refused = await doors.owner.put(path, json={"datalens_dashboard_url": wrong})
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_input"), wrong
    unknown = await doors.owner.put(f"{CLINICS}/nobody/datalens-url", json=script)
    assert unknown.status_code == 404


async def test_get_settings(doors: Doors, at_work: ClinicAtWork) -> None:
    clinic = await at_work.clinic()
    for clinic_id in (clinic.id, clinic.client_id):
        answer = await doors.owner.get(f"/api/clinics/{clinic_id}/settings")
        assert answer.status_code == 200
        shaped(answer.json(), {"success": True, "data": {"admin_detection_method": "amocrm"}})
    data = answer.json()["data"]
    assert (data["timezone"], data["conversion_window_days"]) == ("Europe/Moscow", 0)
    assert data["conversion_config"]["auto_detected"] is True
    assert (await doors.owner.get("/api/clinics/nobody/settings")).status_code == 404


async def test_patch_settings(doors: Doors, at_work: ClinicAtWork) -> None:
    path = f"/api/clinics/{(await at_work.clinic()).id}/settings"
    sent = {"admin_detection_method": "ai_schedule"}
    answer = await doors.owner.patch(path, json=sent)
    assert answer.status_code == 200
    assert answer.json().keys() == {"success", "message", "updated_settings"}
    assert answer.json()["updated_settings"] == sent
    assert (await at_work.clinic()).admin_detection_method == "ai_schedule"
    for wrong in (sent, {"admin_detection_method": "guess"}, {}):
        assert (await doors.owner.patch(path, json=wrong)).status_code == 404
    unknown = await doors.owner.patch("/api/clinics/nobody/settings", json=sent)
    assert unknown.status_code == 404


async def test_patch_settings_of_ours(doors: Doors, at_work: ClinicAtWork) -> None:
    path = f"/api/clinics/{at_work.client_id}/settings"
    sent = {
        "timezone": "Asia/Yekaterinburg",
        "conversion_window_days": 3,
        "count_not_applicable_as_zero": True,
        "automatic_processing": False,
    }
    answer = await doors.owner.patch(path, json=sent)
    assert answer.json()["updated_settings"] == sent
    clinic = await at_work.clinic()
    assert {name: getattr(clinic, name) for name in sent} == sent
    again = await doors.owner.patch(path, json={**sent, "conversion_window_days": 4})
    assert again.json()["updated_settings"] == {"conversion_window_days": 4}


async def test_patch_conversion_targets(doors: Doors, at_work: ClinicAtWork) -> None:
    path = f"/api/clinics/{at_work.client_id}/settings"
    found = (await doors.owner.get(path)).json()["data"]["conversion_config"]
    by_hand = {**found, "secondary": None, "manually_overridden": True}
    answer = await doors.owner.patch(path, json={"conversion_config": by_hand})
    assert answer.status_code == 200
    stored = (await at_work.clinic()).conversion_config
    assert stored is not None
    assert (stored.manually_overridden, stored.auto_detected, stored.secondary) == (
        True, False, None,
    )  # fmt: skip
    await at_work.sync()
    assert (await at_work.clinic()).conversion_config == stored
    # Without targets the CRM is asked again.
    cleared = await doors.owner.patch(path, json={"conversion_config": None})
    assert cleared.json()["updated_settings"] == {"conversion_config": None}
    await at_work.sync()
    again = (await doors.owner.get(path)).json()["data"]["conversion_config"]
    assert (again["primary"], again["auto_detected"]) == (found["primary"], True)


NONSENSE: list[tuple[dict[str, Any], int]] = [
    ({"colour": "red"}, 422),
    ({"timezone": "Mars/Olympus"}, 400),
    ({"timezone": "Europe"}, 400),
    ({"timezone": "a" * 61}, 422),
    ({"timezone": "\x00"}, 400),
    ({"timezone": None}, 422),
    ({"conversion_window_days": 61}, 422),
    ({"conversion_window_days": -1}, 422),
    ({"conversion_config": {"confirmation_field": None}}, 400),
    ({"conversion_config": {"primary": {"pipeline_id": 2**70}}}, 422),
    ({"admin_detection_method": None}, 422),
]


async def test_patch_settings_with_nonsense(doors: Doors, at_work: ClinicAtWork) -> None:
    before = await at_work.clinic()
    path = f"/api/clinics/{at_work.client_id}/settings"
    for body, status in NONSENSE:
        assert (await doors.owner.patch(path, json=body)).status_code == status, body
    surrogate = '{"timezone": "\\ud800"}'
    assert (await doors.owner.patch(path, content=surrogate, headers=JSON)).status_code == 422
    assert await at_work.clinic() == before


async def test_strange_ids_are_unknown_clinics(doors: Doors) -> None:
    for clinic_id in ("%00", "%ED%A0%80", "a" * 100, "%2e%2e", "🦷"):
        answer = await doors.owner.get(f"/api/clinics/{clinic_id}/settings")
        assert answer.status_code == 404, clinic_id
    assert (await doors.owner.get(f"/api/clinics/{'a' * 101}/settings")).status_code == 422


async def test_what_stood_still_tries_again_after_a_connection(
    doors: Doors, at_work: ClinicAtWork
) -> None:
    stops, error = doors.application.stops, ProviderUnavailableError("amocrm", "нет доступа")
    await stops.stand_still("amocrm", at_work.client_id, error)
    await doors.owner.post(f"{CLINICS}/{at_work.client_id}/refresh-token")
    (stop,) = [one async for one in stops.standing()]
    assert stop.next_trial_at <= at_work.clock()
