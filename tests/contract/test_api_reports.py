"""Contract 1.4, reports: requests as old clients send them, bodies key by key, files opened."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date
from io import BytesIO
from time import monotonic
from typing import Any

import httpx2
import openpyxl
import pypdf
import pytest
from tests.fixtures.clinic_at_work import ClinicAtWork
from tests.fixtures.report_calls import many_calls
from tests.fixtures.service import Doors, doors_of
from tests.fixtures.shapes import shaped

from medai.calls.models import Call, Stage
from medai.kit.days import DayRange
from medai.kit.ids import call_id

DAYS = {"start_date": "16.11.2026", "end_date": "22.11.2026"}
PERIOD = "16_11_2026-22_11_2026"
PDF = {"status": "success", "message": str, "filename": str}
EXCEL = {"status": "success", "filename": str}
GENERATE = "/api/reports/generate_call_report"


@pytest.fixture
async def open_doors(at_work: ClinicAtWork) -> AsyncIterator[Doors]:
    """The API of a clinic with a week of analysed calls."""
    await at_work.app.calls.insert_many(_week(at_work, 40))
    async with doors_of(at_work.app) as opened:
        yield opened


def _week(at_work: ClinicAtWork, count: int) -> list[Call]:
    client_id = at_work.client_id
    week = DayRange(date(2026, 11, 16), date(2026, 11, 22))
    return [
        call.model_copy(
            update={
                "id": call_id(client_id, call.note_id),
                "client_id": client_id,
                "stage": Stage.ANALYSED,
            }
        )
        for call in many_calls(count, period=week)
    ]


async def test_generate_call_report(at_work: ClinicAtWork, open_doors: Doors) -> None:
    owner = open_doors.owner
    order = {**DAYS, "clinic_id": at_work.client_id, "administrator_ids": ["7", "8"]}
    answer = await owner.post(GENERATE, json=order)

    assert answer.status_code == 200, answer.text
    body = answer.json()
    shaped(body, PDF)
    name = body["filename"].rpartition("/")[2]  # what the bot uses
    assert name == f"call_report_clinic_{at_work.client_id}_{PERIOD}.pdf"
    assert not body["filename"].startswith("/")
    for path in (f"/api/call/reports/{name}/download", f"/api/reports/download_call_report/{name}"):
        file = await owner.get(path)
        assert file.headers["content-type"] == "application/pdf"
        assert file.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert len(pypdf.PdfReader(BytesIO(file.content)).pages) > 1
        assert (await open_doors.stranger.get(path)).status_code == 401
    assert (await open_doors.stranger.get(body["download_url"])).content == file.content
    log = [entry async for entry in at_work.app.access_log.newest(at_work.client_id, 10)]
    assert [(one.what, one.object_id) for one in log] == [("report", name)] * 3


@pytest.mark.parametrize("path", ["/api/call-reports/generate", "/api/admin-reports/generate"])
async def test_readme_names_of_the_pdf(at_work: ClinicAtWork, open_doors: Doors, path: str) -> None:
    answer = await open_doors.owner.post(path, json={**DAYS, "clinic_id": at_work.client_id})
    shaped(answer.json(), PDF)


async def test_the_report_of_administrators_opens_for_its_clinic(
    at_work: ClinicAtWork, open_doors: Doors
) -> None:
    order = {**DAYS, "clinic_id": at_work.client_id}
    body = (await open_doors.owner.post("/api/admin-reports/generate", json=order)).json()
    name = f"call_admin_report_clinic_{at_work.client_id}_{PERIOD}.pdf"
    assert body["filename"] == f"reports/{name}"
    file = await open_doors.stranger.get(body["download_url"])
    text = "".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(file.content)).pages)
    assert "Отчёт по администраторам" in text
    seal = await open_doors.owner.get(f"/api/call/reports/{name}.sha256/download")
    assert seal.status_code == 404


async def test_generate_excel(at_work: ClinicAtWork, open_doors: Doors) -> None:
    query = {**DAYS, "clinic_id": at_work.client_id}
    answer = await open_doors.owner.get("/api/reports/generate-excel", params=query)

    assert answer.status_code == 200, answer.text
    shaped(answer.json(), EXCEL)
    name = answer.json()["filename"]
    assert name == f"call_report_clinic_{at_work.client_id}_{PERIOD}.xlsx"
    file = await open_doors.owner.get(f"/api/call/reports/{name}/download")
    assert "spreadsheetml" in file.headers["content-type"]
    assert openpyxl.load_workbook(BytesIO(file.content)).sheetnames == [
        "Сводная информация", "Администраторы", "Источники", "Типы звонков",
        "Оценки по неделям", "Рекомендации", "Общие рекомендации",
    ]  # fmt: skip
    assert (await open_doors.stranger.get(answer.json()["download_url"])).status_code == 200


async def test_a_report_of_all_clinics(at_work: ClinicAtWork, open_doors: Doors) -> None:
    answer = await open_doors.owner.post(GENERATE, json=DAYS)
    assert answer.json()["filename"] == f"reports/call_report_{PERIOD}.pdf"


REFUSED: list[tuple[dict[str, Any], int]] = [
    ({"start_date": "31.02.2026", "end_date": "22.11.2026"}, 400),
    ({"start_date": "22.11.2026", "end_date": "16.11.2026"}, 400),
    ({"start_date": "\ud800", "end_date": "22.11.2026"}, 422),
    ({"start_date": "01.01.2026", "end_date": "07.01.2026"}, 404),
    ({**DAYS, "clinic_id": "nobody"}, 404),
    ({**DAYS, "clinic_id": "../\x00"}, 404),
    ({"start_date": "16.11.2026"}, 422),
    ({"start_date": "1" * 100, "end_date": "22.11.2026"}, 422),
]


async def test_reports_refuse_in_words(open_doors: Doors) -> None:
    for order, status in REFUSED:
        # As text of its own: the client would not send a lone surrogate, a hostile one does.
        body, kind = json.dumps(order), {"Content-Type": "application/json"}
        answers = [await open_doors.owner.post(GENERATE, content=body, headers=kind)]
        if "\ud800" not in order.values():  # no address can hold it
            answers.append(await open_doors.owner.get("/api/reports/generate-excel", params=order))
        for answer in answers:
            assert answer.status_code == status, (order, answer.text)


@pytest.mark.parametrize(
    "prefix", ["/api/call/reports/{}/download", "/api/reports/download_call_report/{}"]
)
async def test_only_reports_are_given_out(open_doors: Doors, prefix: str) -> None:
    app = open_doors.application
    await app.files.write("audio/secret.pdf", b"not a report")
    await app.files.write("reports/notes.txt", b"not a report")
    for name in (
        "nothing.pdf", "..%2Faudio%2Fsecret.pdf", "%2e%2e%2faudio%2fsecret.pdf", "notes.txt",
        "%00.pdf", "call_report.pdf%0d%0aX: y", "Я.pdf", "a" * 190 + ".pdf", "..", ".pdf",
    ):  # fmt: skip
        answer = await open_doors.owner.get(prefix.format(name))
        assert answer.status_code == 404, (name, answer.text)


async def test_a_key_of_a_clinic_gets_its_own_reports_only(
    at_work: ClinicAtWork, open_doors: Doors
) -> None:
    app, owner = at_work.app, open_doors.owner
    mine = (await owner.post(GENERATE, json={**DAYS, "clinic_id": at_work.client_id})).json()
    every = (await owner.post(GENERATE, json=DAYS)).json()
    other = await app.own_recordings.clinic("Чужая клиника")
    names = [made["filename"].rpartition("/")[2] for made in (mine, every)]
    for client_id, statuses in ((at_work.client_id, [200, 404]), (other.client_id, [404, 404])):
        _, key = await app.keys.create("клиника", [client_id], may_write=True, by="test")
        async with httpx2.AsyncClient(
            transport=open_doors.stranger._transport,
            base_url="http://testserver/api",
            headers={"X-API-Key": key},
        ) as holder:
            answers = [await holder.get(f"/call/reports/{name}/download") for name in names]
            assert [answer.status_code for answer in answers] == statuses
            report = await holder.post("/reports/generate_call_report", json=DAYS)
            # Without a clinic the key's own is meant; the other one has no calls.
            assert report.status_code == statuses[0]
            foreign = await holder.get("/reports/generate-excel", params={**DAYS, "clinic_id": "x"})
            assert foreign.status_code == 404
    assert names[0] == f"call_report_clinic_{at_work.client_id}_{PERIOD}.pdf"


async def test_other_requests_are_answered_while_a_report_is_made(
    at_work: ClinicAtWork, open_doors: Doors
) -> None:
    await at_work.app.calls.insert_many(_week(at_work, 1000))
    report = asyncio.create_task(open_doors.owner.post(GENERATE, json=DAYS))
    slowest = 0.0
    while not report.done():
        started = monotonic()
        assert (await open_doors.stranger.get("/api/status")).status_code == 200
        slowest = max(slowest, monotonic() - started)
        await asyncio.sleep(0.01)
    assert (await report).status_code == 200
    assert slowest < 0.5
