import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from tests.fixtures.report_calls import (
    CREATED,
    SEPTEMBER,
    Links,
    content_of,
    full_analysis,
    make_analysis,
    make_call,
    people_of_calls,
)

from medai.analysis.models import CallAnalysis
from medai.calls.models import Call
from medai.clinics.models import Clinic
from medai.errors import NotFoundError
from medai.infra.files import Files
from medai.infra.object_files import open_files
from medai.kit.clock import Clock
from medai.kit.days import DayRange
from medai.reports import shelf
from medai.reports.models import Chart, ReportContent
from medai.reports.people.models import PeopleContent
from medai.reports.service import ReportService, clinic_of, previous_period
from medai.reports.shelf import content_digest


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
    """Files that only name what they were made from; counts the PDFs."""

    def __init__(self) -> None:
        self.made = 0

    async def pdf(self, content: ReportContent) -> bytes:
        self.made += 1
        await asyncio.sleep(0)
        return f"pdf {content.current.calls}".encode()

    async def excel(self, content: ReportContent) -> bytes:
        return f"xlsx {content.current.calls}".encode()

    async def people(self, content: PeopleContent) -> bytes:
        quotes = [one.quote.text for p in content.profiles for one in p.strongest if one.quote]
        return f"people {len(content.profiles)} {quotes}".encode()

    async def chart(self, content: ReportContent, chart: Chart) -> bytes:
        return f"{chart} {content.current.calls}".encode()


class MemoryAnalyses:
    """Every asked call greeted well."""

    async def of_calls(self, call_ids: Sequence[str]) -> dict[str, CallAnalysis]:
        return {call_id: full_analysis(call_id, {"greeting": 8}) for call_id in call_ids}


class Summaries:
    """One stored conclusion."""

    async def overall_summary(self, client_id: str, days: DayRange) -> str:
        return f"Итог {client_id}"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return open_files(tmp_path, "")


def _service(
    calls: MemoryCalls,
    files: Files,
    *client_ids: str,
    renderer: PlainRenderer | None = None,
    clock: Clock = lambda: CREATED,
) -> ReportService:
    clinics = MemoryClinics(*client_ids)
    return ReportService(
        calls,
        clinics,
        files,
        renderer or PlainRenderer(),
        Links(),
        clock,
        analyses=MemoryAnalyses(),
        conclusions=Summaries(),
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


async def test_the_same_report_is_made_once_and_again_when_a_call_changes(files: Files) -> None:
    calls, renderer = MemoryCalls(make_call(1)), PlainRenderer()
    service = _service(calls, files, "c1", renderer=renderer)
    names = {await service.generate_pdf("c1", SEPTEMBER) for _ in range(2)}
    names |= set(await asyncio.gather(*(service.generate_pdf("c1", SEPTEMBER) for _ in range(5))))
    assert (len(names), renderer.made) == (1, 1)
    restarted = _service(calls, files, "c1", renderer=renderer, clock=_a_day_later)
    await restarted.generate_pdf("c1", SEPTEMBER)
    assert renderer.made == 1
    changed = MemoryCalls(make_call(1, converted=True))
    await _service(changed, files, "c1", renderer=renderer).generate_pdf("c1", SEPTEMBER)
    assert renderer.made == 2


def test_contents_are_told_apart_by_everything_but_the_moment() -> None:
    advised = make_analysis(recommendations=("Другое.",))
    plain = content_of([make_call(1)])
    contents: list[ReportContent | PeopleContent] = [
        plain,
        content_of([make_call(1, duration_seconds=61)]),
        content_of([make_call(1, analysis=advised)]),
        content_of([make_call(1)], summary="Итог"),
        people_of_calls([make_call(1)]),
        people_of_calls([make_call(n) for n in range(5)]),
    ]
    assert len({content_digest(one) for one in contents}) == len(contents)
    later = replace(plain, created_at=_a_day_later())
    assert content_digest(later) == content_digest(plain)


def test_another_drawing_tool_makes_another_file(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = content_of([make_call(1)])
    known = content_digest(plain)
    shelf._code.cache_clear()
    monkeypatch.setattr(shelf, "version", lambda tool: f"{tool} of tomorrow")
    try:
        assert content_digest(plain) != known
    finally:
        shelf._code.cache_clear()


async def test_requests_at_once_share_one_making(files: Files) -> None:
    renderer = PlainRenderer()
    service = _service(MemoryCalls(make_call(1)), files, "c1", renderer=renderer)
    await asyncio.gather(*(service.generate_pdf("c1", SEPTEMBER) for _ in range(10)))
    assert renderer.made == 1


async def test_a_file_that_is_not_what_was_made_is_made_again(files: Files) -> None:
    renderer = PlainRenderer()
    service = _service(MemoryCalls(make_call(1)), files, "c1", renderer=renderer)
    name = await service.generate_pdf("c1", SEPTEMBER)
    for spoil in (files.write(name, b"torn"), files.delete(name), files.delete(f"{name}.sha256")):
        await spoil
        made = renderer.made
        await service.generate_pdf("c1", SEPTEMBER)
        assert (await files.read(name), renderer.made) == (b"pdf 1", made + 1)


async def test_administrators_have_a_report_of_their_own(files: Files) -> None:
    calls = MemoryCalls(*(make_call(n) for n in range(5)))
    name = await _service(calls, files, "c1").generate_people("c1", SEPTEMBER)
    assert name == "reports/call_admin_report_clinic_c1_01_09_2026-30_09_2026.pdf"
    assert clinic_of(name.rpartition("/")[2]) == "c1"
    assert await files.read(name) == "people 1 ['Сказано о greeting']".encode()
    other = await _service(calls, files, "c1").generate_people(None, SEPTEMBER)
    assert other == "reports/call_admin_report_01_09_2026-30_09_2026.pdf"
    assert clinic_of(other.rpartition("/")[2]) is None


async def test_a_person_gets_an_empty_report_and_a_client_its_404(files: Files) -> None:
    service = _service(MemoryCalls(), files, "c1")
    report = await service.generate("c1", SEPTEMBER, even_empty=True)
    assert await files.read(report.pdf) == b"pdf 0"
    people = await service.generate_people("c1", SEPTEMBER, even_empty=True)
    assert await files.read(people) == b"people 0 []"
    assert await service.chart("c1", SEPTEMBER, Chart.DAYS) == b"days 0"
    with pytest.raises(NotFoundError):
        await service.generate_people("c1", SEPTEMBER)


def _a_day_later() -> datetime:
    return CREATED + timedelta(days=1)
