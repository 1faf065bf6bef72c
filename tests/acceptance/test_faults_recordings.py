"""Every fault of a recording host: what the call shows, what is repeated, when it stops.

Nothing is paid before a recording is stored, and a host never stops the calls of others.
"""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.fixtures.clinic_at_work import ClinicAtWork
from tests.fixtures.faults import (
    GROWING,
    OLD_CALL,
    YOUNG_CALL,
    End,
    Expected,
    Place,
    Trouble,
    kinds_of,
    lasting,
    listed,
    passing,
    unnoticed,
)

from medai.calls.models import Step

HOST = Place("recordings", Step.RECORDING, ())
_CODE = "recording_unavailable"


def later(words: str, note_id: int = OLD_CALL) -> Expected:
    """Tried again by the plan of recordings that are not ready."""
    return Expected(End.FAILS, _CODE, words, GROWING, asked=6, note_id=note_id)


GONE = later("записи нет", note_id=YOUNG_CALL)
"""The link comes before the file: "not found" is believed when the call is six hours old."""

EXPECTED = {
    "rate_limit_json": later("ответил 429"),
    "rate_limit_html": later("ответил 429"),
    "server_error": later("ответил 500"),
    "gateway_html": later("ответил 502"),
    "forbidden_html": later("ответил 403"),
    "timeout": later("не ответил вовремя"),
    "reset": later("прервалась"),
    "reset_after_commit": later("прервалась"),
    "html_instead_of_audio": later("Вместо записи пришла страница"),
    "unavailable_clip": later("намного короче"),
    "late_link": GONE,
    "not_found": GONE,
    "redirect_private": Expected(End.FAILS, _CODE, "", asked=1),
    "truncated_audio": Expected(
        End.PASSES, _CODE, "короче звонка", GROWING, note_id=YOUNG_CALL
    ),
    "slow": Expected(End.PASSES, fault={"seconds": 0.05}),
    "slow_stream": Expected(End.PASSES, fault={"seconds": 0.1}),
    "redirect_chain": Expected(End.PASSES),
    "one_time_link": Expected(End.PASSES),
}  # fmt: skip


def test_no_kind_is_forgotten() -> None:
    assert set(EXPECTED) == kinds_of("recordings")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [one for one in listed(EXPECTED, list(End)) if one.values[1].plan],
)
async def test_a_passing_fault_delays_the_call(
    troubled: ClinicAtWork, kind: str, expected: Expected
) -> None:
    await passing(Trouble(troubled, HOST, kind, expected))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [one for one in listed(EXPECTED, (End.FAILS,)) if one.values[1] is not GONE],
)
async def test_a_lasting_fault_ends_with_words(
    troubled: ClinicAtWork, kind: str, expected: Expected
) -> None:
    await lasting(Trouble(troubled, HOST, kind, expected))


@pytest.mark.parametrize("kind", ["late_link", "not_found"])
async def test_a_missing_file_of_an_old_call_is_final_at_once(
    troubled: ClinicAtWork, kind: str
) -> None:
    await lasting(Trouble(troubled, HOST, kind, replace(GONE, plan=(), asked=1, note_id=OLD_CALL)))


@pytest.mark.parametrize("kind", ["late_link", "not_found"])
async def test_a_file_that_never_comes_is_believed_missing_when_the_call_is_old(
    troubled: ClinicAtWork, kind: str
) -> None:
    await lasting(Trouble(troubled, HOST, kind, GONE))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [one for one in listed(EXPECTED, (End.PASSES,)) if not one.values[1].plan],
)
async def test_nothing_is_noticed(troubled: ClinicAtWork, kind: str, expected: Expected) -> None:
    await unnoticed(Trouble(troubled, HOST, kind, expected), 1)


async def test_a_part_of_a_recording_is_used_only_when_no_more_will_come(
    troubled: ClinicAtWork,
) -> None:
    trouble = Trouble(troubled, HOST, "truncated_audio", EXPECTED["truncated_audio"])
    await trouble.prepare()
    trouble.begin()
    call = await trouble.attempt()
    while call.audio is None:
        assert troubled.clock() - call.started_at < timedelta(hours=6)
        trouble.shows(call)
        call = await trouble.next_attempt(call)
    assert troubled.clock() - call.started_at >= timedelta(hours=6)
    assert call.audio.seconds == pytest.approx(call.duration_seconds / 2, abs=1)
    trouble.clear()
    await trouble.finished()


async def test_a_part_of_an_old_recording_is_used_at_once(troubled: ClinicAtWork) -> None:
    expected = replace(EXPECTED["truncated_audio"], note_id=OLD_CALL)
    await unnoticed(Trouble(troubled, HOST, "truncated_audio", expected), 1)


async def test_a_link_that_works_once_is_asked_once(troubled: ClinicAtWork) -> None:
    trouble = Trouble(troubled, HOST, "one_time_link", EXPECTED["one_time_link"])
    await trouble.prepare()
    trouble.begin(1)
    first = await trouble.attempt()
    assert (await trouble.attempt()) == first
    await trouble.finished()


async def test_a_stream_slower_than_our_patience_is_tried_again(troubled: ClinicAtWork) -> None:
    expected = later("не ответил вовремя")
    trouble = Trouble(troubled, HOST, "slow_stream", replace(expected, fault={"seconds": 20}))
    await passing(trouble)
