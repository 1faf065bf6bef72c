"""Work schedules as old clients ask for them (contract 1.5), and the calls they concern (4.7)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.fixtures.clinic_at_work import ClinicAtWork
from tests.fixtures.key_holder import key_holder
from tests.fixtures.sandbox import DAY
from tests.fixtures.service import Doors, doors_of
from tests.fixtures.shapes import shaped

from medai.calls.models import UNKNOWN_ADMINISTRATOR, Step
from medai.worker.tasks import register

SCHEDULES = "/api/work-schedules"
LIST = {
    "count": int,
    "schedules": [
        {
            "_id": str,
            "clinic_id": str,
            "date": str,
            "first_name": str,
            "last_name": str,
            "created_at": str,
        }
    ],
}
NEVER = "0" * 24
FUTURE = ["2026-12-01", "2026-12-02"]


@pytest.fixture
async def doors(at_work: ClinicAtWork) -> AsyncIterator[Doors]:
    async with doors_of(at_work.app) as opened:
        yield opened


def order(at_work: ClinicAtWork, **changes: Any) -> dict[str, Any]:
    """What the old front end sends, its ignored key included."""
    person = {"first_name": "Анна", "last_name": "Иванова", "administrator_id": "7"}
    return {"clinic_id": at_work.client_id, "dates": FUTURE, **person, **changes}


def coming(at_work: ClinicAtWork) -> dict[str, str]:
    """The query of days on which nobody is entered before the test."""
    return {"clinic_id": at_work.client_id, "date_from": FUTURE[0]}


async def test_post_work_schedules(doors: Doors, at_work: ClinicAtWork) -> None:
    answer = await doors.owner.post(SCHEDULES, json=order(at_work))
    assert answer.status_code == 201
    shaped(answer.json(), {"message": str, "created_ids": [str]})
    assert len(set(answer.json()["created_ids"])) == 2
    # Days the person stands on already are skipped, in whatever form they come.
    more = order(at_work, dates=["2026-12-01", "02.12.2026", "2026-12-03", "2026-12-03"])
    assert len((await doors.owner.post(SCHEDULES, json=more)).json()["created_ids"]) == 1
    for nothing in (more, order(at_work, dates=[])):
        assert (await doors.owner.post(SCHEDULES, json=nothing)).status_code == 400


async def test_post_work_schedules_with_nonsense(doors: Doors, at_work: ClinicAtWork) -> None:
    wrong: list[tuple[dict[str, Any], int]] = [
        ({"clinic_id": "nobody"}, 404),
        ({"dates": ["завтра"]}, 400),
        ({"dates": ["2026-02-30"]}, 400),
        ({"dates": ["9999-12-31"]}, 400),
        ({"dates": ["2026-12-01"] * 367}, 422),
        ({"dates": None}, 422),
        ({"first_name": " "}, 400),
        ({"first_name": "а" * 101}, 422),
    ]
    for changes, status in wrong:
        answer = await doors.owner.post(SCHEDULES, json=order(at_work, **changes))
        assert answer.status_code == status, changes
    listed = await doors.owner.get(SCHEDULES, params=coming(at_work))
    assert listed.json() == {"count": 0, "schedules": []}


async def test_get_work_schedules(doors: Doors, at_work: ClinicAtWork) -> None:
    dates = ["2026-12-03", "2026-12-01", "2026-12-02"]
    await doors.owner.post(SCHEDULES, json=order(at_work, dates=dates))
    query = {"clinic_id": at_work.client_id}
    whole = await doors.owner.get(SCHEDULES, params=query)
    shaped(whole.json(), LIST)
    answer = await doors.owner.get(SCHEDULES, params=coming(at_work))
    assert answer.status_code == 200
    shaped(answer.json(), LIST)
    assert whole.json()["schedules"][-3:] == answer.json()["schedules"]
    assert answer.json()["count"] == 3
    assert [one["date"] for one in answer.json()["schedules"]] == sorted(dates)
    assert all("updated_at" not in one for one in answer.json()["schedules"])
    assert answer.json()["schedules"][0]["clinic_id"] == at_work.client_id
    for bounds, count in (
        ({"date_from": "2026-12-02"}, 2),
        ({"date_from": "2026-11-30", "date_to": "01.12.2026"}, 1),
        ({"date_from": "2026-12-02", "date_to": "2026-12-02"}, 1),
    ):
        body = (await doors.owner.get(SCHEDULES, params={**query, **bounds})).json()
        assert body["count"] == len(body["schedules"]) == count
    reversed_days = {**query, "date_from": "2026-12-02", "date_to": "2026-12-01"}
    assert (await doors.owner.get(SCHEDULES, params=reversed_days)).status_code == 400
    assert (await doors.owner.get(SCHEDULES)).status_code == 422
    assert (await doors.owner.get(SCHEDULES, params={"clinic_id": "nobody"})).status_code == 404


async def test_put_work_schedules(doors: Doors, at_work: ClinicAtWork) -> None:
    made = await doors.owner.post(SCHEDULES, json=order(at_work))
    first, second = made.json()["created_ids"]
    path = f"{SCHEDULES}/{first}"
    answer = await doors.owner.put(path, json={"last_name": "Петрова", "first_name": "Анна"})
    assert answer.status_code == 200
    shaped(answer.json(), {"message": str, "updated_fields": ["last_name"]})
    moved = await doors.owner.put(path, json={"date": "05.12.2026"})
    assert moved.json()["updated_fields"] == ["date"]
    query = {"clinic_id": at_work.client_id, "date_from": "2026-12-05"}
    (shown,) = (await doors.owner.get(SCHEDULES, params=query)).json()["schedules"]
    assert (shown["_id"], shown["date"], shown["last_name"]) == (first, "2026-12-05", "Петрова")
    assert shown["updated_at"]
    assert (await doors.owner.put(path, json={"last_name": "Петрова"})).status_code == 404
    assert (await doors.owner.put(path, json={})).status_code == 400
    assert (await doors.owner.put(path, json={"date": "никогда"})).status_code == 400
    assert (await doors.owner.put(path, json={"first_name": ""})).status_code == 400
    unknown = f"{SCHEDULES}/{NEVER}"
    assert (await doors.owner.put(unknown, json={"first_name": "Анна"})).status_code == 404
    taken = {"last_name": "Петрова", "date": "2026-12-05"}
    assert (await doors.owner.put(f"{SCHEDULES}/{second}", json=taken)).status_code == 409
    # The old entry may be made again: its id was not made of its names.
    again = await doors.owner.post(SCHEDULES, json=order(at_work, dates=["2026-12-01"]))
    assert again.status_code == 201


async def test_delete_work_schedules(doors: Doors, at_work: ClinicAtWork) -> None:
    first, _ = (await doors.owner.post(SCHEDULES, json=order(at_work))).json()["created_ids"]
    answer = await doors.owner.delete(f"{SCHEDULES}/{first}")
    assert answer.status_code == 200
    shaped(answer.json(), {"message": str})
    assert (await doors.owner.delete(f"{SCHEDULES}/{first}")).status_code == 404
    assert (await doors.owner.get(SCHEDULES, params=coming(at_work))).json()["count"] == 1


async def test_shifts_of_another_clinic_are_unknown(doors: Doors, at_work: ClinicAtWork) -> None:
    first, _ = (await doors.owner.post(SCHEDULES, json=order(at_work))).json()["created_ids"]
    local = await doors.application.registration.local("Другая")
    async with key_holder(doors, client_ids=[local.client_id], may_write=True) as holder:
        query = coming(at_work)
        assert (await holder.post(SCHEDULES, json=order(at_work))).status_code == 404
        assert (await holder.get(SCHEDULES, params=query)).status_code == 404
        for shift_id in (first, NEVER, "%00"):
            path = f"{SCHEDULES}/{shift_id}"
            put = await holder.put(path, json={"first_name": "Ольга"})
            delete = await holder.delete(path)
            assert (put.status_code, delete.status_code) == (404, 404)
            assert put.json() == delete.json()
    assert (await doors.owner.get(SCHEDULES, params=query)).json()["count"] == 2


async def test_a_corrected_schedule_decides_about_past_calls_again(
    by_schedule: ClinicAtWork,
) -> None:
    """Three people stand on the day's list; when two leave it, the third took every call."""
    clinic = by_schedule
    await clinic.sync()
    note_id = await _call_with_recording(clinic)
    await clinic.wanted(note_id)
    call = await clinic.run(note_id, Step.RECORDING, Step.TRANSCRIPTION)
    async with doors_of(clinic.app) as doors:
        query = {"clinic_id": clinic.client_id, "date_from": str(DAY), "date_to": str(DAY)}
        shifts = (await doors.owner.get(SCHEDULES, params=query)).json()["schedules"]
        names = {one["_id"]: f"{one['first_name']} {one['last_name']}" for one in shifts}
        assert call.administrator in {*names.values(), UNKNOWN_ADMINISTRATOR}
        left = next(one for one in names if names[one] != call.administrator)
        for shift_id in names.keys() - {left}:
            gone = await doors.owner.delete(f"{SCHEDULES}/{shift_id}")
            run_id = gone.json()["run_id"]
            assert run_id
        await register(clinic.app).run_worker_async(wait=False, install_signal_handlers=False)
        assert (await clinic.call(note_id)).administrator == names[left]
        run = (await doors.owner.get(f"/api/runs/{run_id}")).json()
        assert (run["kind"], run["state"]) == ("attribution", "completed")
        assert run["statistics"]["calls"] == 1
        # Days to come concern no calls, and a clinic that trusts its CRM asks nobody.
        later = await doors.owner.post(SCHEDULES, json=order(clinic))
        assert later.json()["run_id"] is None
        await clinic.clinic(admin_detection_method="amocrm")
        trusting = await doors.owner.post(SCHEDULES, json=order(clinic, dates=[str(DAY)]))
        assert trusting.json()["run_id"] is None


async def _call_with_recording(clinic: ClinicAtWork) -> int:
    days = clinic.app.calls.of_days(clinic.client_id, None, where={"skip_reason": None})
    found = [call async for call in days if call.recording_url]
    note_id = found[0].note_id
    assert isinstance(note_id, int)
    return note_id
