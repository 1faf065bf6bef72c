"""Every fault of the language model: what the call shows, what is repeated, when it stops.

The transcript is paid and the note written before: neither is touched again.
"""

import pytest
from tests.fixtures.clinic_at_work import ClinicAtWork
from tests.fixtures.faults import (
    GROWING,
    UNREADABLE,
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
    waiting,
)

from medai.calls.models import Step

MODEL = Place("openai", Step.ANALYSIS, (Step.RECORDING, Step.TRANSCRIPTION, Step.NOTE))
INNER_TRIES = 2
"""An unusable answer is asked for once more at once."""

BUSY = Expected(End.FAILS, "provider_rate_limited", "снизить темп", GROWING, asked=6)
DOWN = Expected(End.FAILS, "provider_unavailable", "Сбой на стороне", GROWING, asked=6)
SILENT = Expected(
    End.FAILS, "provider_unavailable", "не отвечает", GROWING, asked=6, lost=6, lost_once=1
)
UNUSABLE = Expected(
    End.FAILS, "provider_answer", "", UNREADABLE, asked=3 * INNER_TRIES, times=INNER_TRIES
)
STOPPED = Expected(End.STOPS, "provider_stopped", "ключ OPENAI, оплату", asked=1)

EXPECTED = {
    "rate_limit_json": Expected(
        End.WAITS, "provider_rate_limited", "снизить темп", fault={"seconds": 37}
    ),
    "rate_limit_html": BUSY,
    "rate_limit_plain": BUSY,
    "server_error": DOWN,
    "gateway_html": DOWN,
    "failed": DOWN,
    "slow": Expected(End.PASSES, fault={"seconds": 0.05}),
    "timeout": SILENT,
    "reset": Expected(End.FAILS, SILENT.code, SILENT.words, GROWING, asked=6),
    "reset_after_commit": SILENT,
    "html_ok": Expected(End.FAILS, "provider_answer", "OPENAI_BASE_URL", UNREADABLE, asked=3),
    "invalid_json": UNUSABLE,
    "incomplete": UNUSABLE,
    "incomplete_empty": UNUSABLE,
    "schema_violation": UNUSABLE,
    "wrong_evidence": Expected(End.PASSES),
    "refusal": Expected(End.FAILS, "provider_rejected", "оцените его вручную", asked=1),
    "bad_key": STOPPED,
    "forbidden_html": STOPPED,
    "quota": STOPPED,
    "unsupported_region": STOPPED,
}  # fmt: skip


def test_no_kind_is_forgotten() -> None:
    assert set(EXPECTED) == kinds_of("openai")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [one for one in listed(EXPECTED, (End.FAILS,)) if one.values[1].plan],
)
async def test_a_passing_fault_delays_the_analysis(
    troubled: ClinicAtWork, kind: str, expected: Expected
) -> None:
    await passing(Trouble(troubled, MODEL, kind, expected))


@pytest.mark.parametrize(("kind", "expected"), listed(EXPECTED, (End.FAILS,)))
async def test_a_lasting_fault_ends_with_words(
    troubled: ClinicAtWork, kind: str, expected: Expected
) -> None:
    await lasting(Trouble(troubled, MODEL, kind, expected))


@pytest.mark.parametrize(("kind", "expected"), listed(EXPECTED, (End.WAITS,)))
async def test_a_named_wait_is_kept_however_long_it_lasts(
    troubled: ClinicAtWork, kind: str, expected: Expected
) -> None:
    await waiting(Trouble(troubled, MODEL, kind, expected), rounds=8)


@pytest.mark.parametrize(("kind", "expected"), listed(EXPECTED, (End.STOPS,)))
async def test_a_refusal_of_our_account_stops_all_analyses(
    troubled: ClinicAtWork, kind: str, expected: Expected
) -> None:
    await stopping(Trouble(troubled, MODEL, kind, expected))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [one for one in listed(EXPECTED, list(End))
     if one.values[1].end is End.PASSES or one.values[1].times > 1],
)  # fmt: skip
async def test_one_of_these_is_repeated_at_once(
    troubled: ClinicAtWork, kind: str, expected: Expected
) -> None:
    await unnoticed(Trouble(troubled, MODEL, kind, expected), 1)


async def test_quotes_that_nobody_said_lead_to_a_person_not_to_a_score(
    troubled: ClinicAtWork,
) -> None:
    trouble = Trouble(troubled, MODEL, "wrong_evidence", EXPECTED["wrong_evidence"])
    await trouble.prepare()
    trouble.begin()
    call = await trouble.attempt()
    assert call.failures == {}
    assert call.analysis is not None
    assert call.analysis.needs_review
    assert trouble.spoiled() <= 3  # type, scores, and once more for proof
    trouble.clear()
    await trouble.finished()
