"""Every fault of amoCRM, met by the note of a call and by a sync of the day."""

from datetime import timedelta

import pytest
from tests.fixtures.clinic_at_work import TODAY, ClinicAtWork
from tests.fixtures.faults import (
    GROWING,
    End,
    Expected,
    Place,
    Trouble,
    decent,
    kinds_of,
    lasting,
    listed,
    passing,
    stopping,
    unnoticed,
)

from medai.calls.models import Step
from medai.errors import ProviderError
from medai.integrations.amocrm.breaker import STOPPED_COOL_DOWN as _LONGEST_CLOSED

NOTE = Place("amocrm", Step.NOTE, (Step.RECORDING, Step.TRANSCRIPTION), match="POST")
_POSTING = "answer_lost"

_ROUNDS = 15

UNSURE = Expected(End.HELD, _POSTING, "результат проверяется", GROWING, asked=6)
"""The card does not show the note: it is looked for again before the next posting."""
FOUND = Expected(End.PASSES)
"""The answer is lost, the note is on the card: found there at once."""
TOKEN = Expected(End.STOPS, "provider_stopped", "подключите аккаунт", asked=2, times=2)
"""A refused token is refreshed once; the second refusal needs a person."""

POSTING = {
    "rate_limit_json": Expected(
        End.WAITS, "provider_rate_limited", "подождать", times=3, fault={"seconds": 20}
    ),
    "rate_limit_html": Expected(End.WAITS, "provider_rate_limited", "подождать", times=3),
    "server_error": UNSURE,
    "gateway_html": UNSURE,
    "html_ok": UNSURE,
    "reset": UNSURE,
    "slow": Expected(End.PASSES, fault={"seconds": 0.05}),
    "timeout": FOUND,
    "reset_after_commit": FOUND,
    "invalid_json": FOUND,
    "bad_key": TOKEN,
    "revoked_token": TOKEN,
    "forbidden_html": Expected(End.STOPS, "provider_stopped", "поддержку", asked=1),
    "payment_required": Expected(End.STOPS, "provider_stopped", "оплатите", asked=1),
}  # fmt: skip

SYNCING = {
    "rate_limit_json": "provider_rate_limited",
    "rate_limit_html": "provider_rate_limited",
    "server_error": "provider_unavailable",
    "gateway_html": "provider_unavailable",
    "slow": "",
    "timeout": "provider_unavailable",
    "reset": "provider_unavailable",
    "reset_after_commit": "provider_unavailable",
    "html_ok": "provider_answer",
    "invalid_json": "provider_answer",
    "bad_key": "provider_stopped",
    "revoked_token": "provider_stopped",
    "forbidden_html": "provider_stopped",
    "payment_required": "provider_stopped",
}
"""What a sync ends with when the fault of reading does not."""


def test_no_kind_is_forgotten() -> None:
    assert set(POSTING) == set(SYNCING) == kinds_of("amocrm")


@pytest.mark.parametrize(("kind", "expected"), listed(POSTING, (End.HELD,)))
async def test_a_passing_fault_delays_the_note(
    troubled: ClinicAtWork, kind: str, expected: Expected
) -> None:
    await passing(Trouble(troubled, NOTE, kind, expected))


@pytest.mark.parametrize(("kind", "expected"), listed(POSTING, (End.HELD,)))
async def test_a_lasting_fault_leaves_the_note_to_a_person(
    troubled: ClinicAtWork, kind: str, expected: Expected
) -> None:
    await lasting(Trouble(troubled, NOTE, kind, expected))


@pytest.mark.parametrize(("kind", "expected"), listed(POSTING, (End.WAITS,)))
async def test_an_account_over_its_limit_is_left_alone_and_then_served(
    troubled: ClinicAtWork, kind: str, expected: Expected
) -> None:
    trouble = Trouble(troubled, NOTE, kind, expected)
    await trouble.prepare()
    trouble.begin()
    began, call = troubled.clock(), await trouble.attempt()
    for _ in range(_ROUNDS):
        trouble.shows(call)
        if trouble.failure(call).next_try_at is None:
            break
        call = await trouble.next_attempt(call)
    trouble.clear()
    if trouble.failure(call).next_try_at is None:  # only a limit without a named wait ends
        assert (kind, trouble.failure(call).attempts) == ("rate_limit_html", 6)
        assert troubled.clock() - began > timedelta(hours=1)
        await troubled.app.requests.retry(call)
        call = await trouble.attempt()
    while trouble.place.step in call.failures:
        call = await trouble.next_attempt(call)
    await trouble.finished()


@pytest.mark.parametrize(("kind", "expected"), listed(POSTING, (End.STOPS,)))
async def test_a_closed_account_stops_all_notes_of_the_clinic(
    troubled: ClinicAtWork, kind: str, expected: Expected
) -> None:
    await stopping(Trouble(troubled, NOTE, kind, expected))


@pytest.mark.parametrize(
    ("kind", "expected"),
    list(listed(POSTING, (End.PASSES, End.WAITS)))
    + [one for one in listed(POSTING, (End.STOPS,)) if one.values[1].times > 1],
)
async def test_one_of_these_is_not_noticed(
    troubled: ClinicAtWork, kind: str, expected: Expected
) -> None:
    await unnoticed(Trouble(troubled, NOTE, kind, expected), 1)


@pytest.mark.parametrize(("kind", "code"), SYNCING.items(), ids=SYNCING)
async def test_a_sync_says_what_is_wrong_and_the_next_one_finds_all_calls(
    troubled: ClinicAtWork, kind: str, code: str
) -> None:
    app, control = troubled.app, troubled.sandbox.control
    run = await app.runs.start(troubled.client_id, "sync", "a", "b")
    control.fail("amocrm", kind, match="GET", times=0, seconds=0.05)
    error: ProviderError | None = None
    try:
        await app.syncs.run(troubled.client_id, TODAY, run_id=run.id)
    except ProviderError as raised:
        error = raised
    assert (error.code if error else "") == code
    after = await app.runs.latest(troubled.client_id, "sync", "a", "b")
    assert after is not None
    assert (after.state, after.error) == (("failed", error.message) if error else ("completed", ""))
    if error:
        decent(error.message)
        assert await troubled.documents() == []
    control.clear_faults()
    troubled.clock.now += _LONGEST_CLOSED
    assert (await troubled.sync()).found == 34
