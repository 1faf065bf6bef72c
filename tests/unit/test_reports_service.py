from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
from tests.fixtures.report_calls import CREATED, SEPTEMBER, Links, make_call

from medai.calls.models import Call
from medai.clinics.models import Clinic
from medai.errors import NotFoundError
from medai.infra.files import Files
from medai.infra.object_files import open_files
from medai.kit.days import DayRange
from medai.reports.models import ReportContent
from medai.reports.service import ReportService, previous_period


class MemoryCalls:
    """Calls of all clinics; remembers what was asked."""

    def __init__(self, *calls: Call) -> None:
        self._calls = calls
        self.asked: list[tuple[str | None, DayRange]] = []

    async def analysed_calls(self, client_id: str | None, days: DayRange) -> list[Call]:
        self.asked.append((client_id, days))
        return [
            call
            for call in self._calls
            if days.first <= call.business_day <= days.last and client_id in (None, call.client_id)
        ]


class MemoryClinics:
    """Clinics by key."""

    def __init__(self, *client_ids: str) -> None:
        self._clinics = {
            client_id: Clinic(
                id=client_id, client_id=client_id, name=f"Клиника {client_id}",
                timezone="Asia/Vladivostok", created_at=CREATED, updated_at=CREATED,
            )
            for client_id in client_ids
        }  # fmt: skip

    async def require(self, client_id: str) -> Clinic:
        if client_id not in self._clinics:
            raise NotFoundError("Клиника не найдена")
        return self._clinics[client_id]

    async def all(self) -> AsyncIterator[Clinic]:
        for clinic in self._clinics.values():
            yield clinic


class PlainRenderer:
    """Files that only name what they were made from."""

    async def pdf(self, content: ReportContent) -> bytes:
        return f"pdf {content.current.calls}".encode()

    async def excel(self, content: ReportContent) -> bytes:
        return f"xlsx {content.current.calls}".encode()


class Summaries:
    """One stored conclusion."""

    async def overall_summary(self, client_id: str, days: DayRange) -> str:
        return f"Итог {client_id}"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return open_files(tmp_path, "")


def _service(calls: MemoryCalls, files: Files, *client_ids: str) -> ReportService:
    clinics = MemoryClinics(*client_ids)
    return ReportService(
        calls, clinics, files, PlainRenderer(), Links(), lambda: CREATED, Summaries()
    )


async def test_both_files_are_stored_under_the_contracts_names(files: Files) -> None:
    calls = MemoryCalls(make_call(1), make_call(2, client_id="c2"))
    report = await _service(calls, files, "c1", "c2").generate("c1", SEPTEMBER)
    assert report.pdf == "reports/call_report_clinic_c1_01_09_2026-30_09_2026.pdf"
    assert report.excel == "reports/call_report_clinic_c1_01_09_2026-30_09_2026.xlsx"
    assert await files.read(report.pdf) == b"pdf 1"
    assert await files.read(report.excel) == b"xlsx 1"


async def test_a_report_of_all_clinics_has_no_clinic_in_its_name(files: Files) -> None:
    service = _service(MemoryCalls(make_call(1), make_call(2, client_id="c2")), files, "c1", "c2")
    assert await service.generate_pdf(None, SEPTEMBER) == (
        "reports/call_report_01_09_2026-30_09_2026.pdf"
    )
    assert await service.generate_excel(None, SEPTEMBER) == (
        "reports/call_report_01_09_2026-30_09_2026.xlsx"
    )
    content = await service.content(None, SEPTEMBER)
    assert content.clinic_names == ("Клиника c1", "Клиника c2")
    assert content.summary == ""


async def test_making_it_again_replaces_the_file(files: Files) -> None:
    name = await _service(MemoryCalls(make_call(1)), files, "c1").generate_pdf("c1", SEPTEMBER)
    again = _service(MemoryCalls(make_call(1), make_call(2)), files, "c1")
    assert await again.generate_pdf("c1", SEPTEMBER) == name
    assert await files.read(name) == b"pdf 2"


async def test_the_content_is_compared_and_concluded_on_the_clinics_clock(files: Files) -> None:
    earlier = make_call(2, business_day=date(2026, 8, 2))
    calls = MemoryCalls(make_call(1), earlier, make_call(3, business_day=date(2026, 8, 1)))
    content = await _service(calls, files, "c1").content("c1", SEPTEMBER)
    assert content.previous is not None
    assert content.previous.calls == 1
    assert content.previous_period == DayRange(date(2026, 8, 2), date(2026, 8, 31))
    assert content.summary == "Итог c1"
    assert content.created_at.isoformat() == "2026-10-01T16:00:00+10:00"


@pytest.mark.parametrize("call", [None, make_call(analysis=None)], ids=["no calls", "no scores"])
async def test_a_period_without_scored_calls_is_not_found(files: Files, call: Call | None) -> None:
    calls = MemoryCalls(*([call] if call else []))
    with pytest.raises(NotFoundError, match=r"01\.09\.2026 – 30\.09\.2026 нет звонков"):
        await _service(calls, files, "c1").generate("c1", SEPTEMBER)
    assert [name async for name in files.names("reports")] == []


async def test_an_unknown_clinic_is_not_found_before_calls_are_read(files: Files) -> None:
    calls = MemoryCalls(make_call())
    with pytest.raises(NotFoundError, match="Клиника"):
        await _service(calls, files, "c1").generate("../c2", SEPTEMBER)
    assert calls.asked == []


async def test_without_clinics_there_is_nothing_to_report(files: Files) -> None:
    with pytest.raises(NotFoundError, match="ни одной клиники"):
        await _service(MemoryCalls(make_call()), files).generate(None, SEPTEMBER)


@pytest.mark.parametrize(
    ("days", "before"),
    [
        (
            DayRange(date(2026, 9, 1), date(2026, 9, 1)),
            DayRange(date(2026, 8, 31), date(2026, 8, 31)),
        ),
        (
            DayRange(date(2026, 9, 7), date(2026, 9, 13)),
            DayRange(date(2026, 8, 31), date(2026, 9, 6)),
        ),
    ],
)
def test_the_previous_period_is_as_long_and_ends_the_day_before(
    days: DayRange, before: DayRange
) -> None:
    assert previous_period(days) == before
