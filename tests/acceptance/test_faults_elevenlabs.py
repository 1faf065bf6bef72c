"""Every fault of ElevenLabs: what the call shows, what is repeated and paid, when it stops."""

import pytest
from tests.fixtures.clinic_at_work import ClinicAtWork
from tests.fixtures.faults import (
    GROWING,
    End,
    Expected,
    Place,
    Trouble,
    kinds_of,
    lasting,
    listed,
    passing,
    stopping,
    unnoticed,
)

from medai.calls.models import Step

SPEECH = Place("elevenlabs", Step.TRANSCRIPTION, (Step.RECORDING,))

BUSY = Expected(End.FAILS, "provider_rate_limited", "просит подождать", GROWING, asked=6)
DOWN = Expected(End.FAILS, "provider_unavailable", "временно недоступен", GROWING, asked=6)
KEY = Expected(End.STOPS, "provider_stopped", "EVENLABS", asked=1)
MONEY = Expected(End.STOPS, "provider_stopped", "пополните счёт", asked=1)
FORBIDDEN = Expected(End.STOPS, "provider_stopped", "права и тариф", asked=1)
LOST = Expected(
    End.HELD, "answer_lost", "могло быть оплачено", (1, 5, 15), asked=2, lost=2, lost_once=1
)
"""One repetition is allowed; the tries after it ask nobody and cost nothing."""
UNREADABLE = Expected(
    End.HELD, "provider_answer", "не читается", (1, 15, 15), asked=2, lost=2, lost_once=1
)

EXPECTED = {
    "rate_limit_json": BUSY,
    "rate_limit_html": BUSY,
    "concurrent_limit": BUSY,
    "server_error": DOWN,
    "gateway_html": DOWN,
    "slow": Expected(End.PASSES, fault={"seconds": 0.05}),
    "timeout": LOST,
    "reset": Expected(End.HELD, LOST.code, LOST.words, LOST.plan, asked=2),
    "reset_after_commit": LOST,
    "html_ok": Expected(
        End.HELD, UNREADABLE.code, UNREADABLE.words, UNREADABLE.plan, asked=2
    ),
    "invalid_json": UNREADABLE,
    "bad_key": KEY,
    "forbidden_html": FORBIDDEN,
    "unsupported_region": FORBIDDEN,
    "payment_required": MONEY,
    "quota": MONEY,
    "not_found": Expected(End.STOPS, "provider_stopped", "ELEVENLABS_BASE_URL", asked=1),
}  # fmt: skip


def test_no_kind_is_forgotten() -> None:
    assert set(EXPECTED) == kinds_of("elevenlabs")


@pytest.mark.parametrize(("kind", "expected"), listed(EXPECTED, (End.FAILS, End.HELD)))
async def test_a_passing_fault_costs_one_repetition(
    troubled: ClinicAtWork, kind: str, expected: Expected
) -> None:
    await passing(Trouble(troubled, SPEECH, kind, expected))


@pytest.mark.parametrize(("kind", "expected"), listed(EXPECTED, (End.FAILS, End.HELD)))
async def test_a_lasting_fault_ends_with_words(
    troubled: ClinicAtWork, kind: str, expected: Expected
) -> None:
    await lasting(Trouble(troubled, SPEECH, kind, expected))


@pytest.mark.parametrize(("kind", "expected"), listed(EXPECTED, (End.STOPS,)))
async def test_a_refusal_of_our_account_stops_all_recognitions(
    troubled: ClinicAtWork, kind: str, expected: Expected
) -> None:
    await stopping(Trouble(troubled, SPEECH, kind, expected))


@pytest.mark.parametrize(("kind", "expected"), listed(EXPECTED, (End.PASSES,)))
async def test_patience_is_enough(troubled: ClinicAtWork, kind: str, expected: Expected) -> None:
    await unnoticed(Trouble(troubled, SPEECH, kind, expected), 1)
