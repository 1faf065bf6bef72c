"""What happens after a failed step."""

from datetime import timedelta

import pytest
from tests.fixtures.clinic_day import NOON

from medai.errors import (
    AnswerLostError,
    ConflictError,
    MedaiError,
    ProviderAnswerError,
    ProviderRateLimitedError,
    ProviderRejectedError,
    ProviderStoppedError,
    ProviderUnavailableError,
    QuotaExceededError,
    RecordingError,
    SettingsError,
    StoreError,
)
from medai.processing.retries import (
    failure_code,
    failure_message,
    next_try_at,
    uses_up_attempt,
)

MINUTE = timedelta(minutes=1)
PLAN = [MINUTE, 5 * MINUTE, 15 * MINUTE, timedelta(hours=1), timedelta(hours=6), None]


def waits(error: Exception, attempts: int = 6) -> list[timedelta | None]:
    moments = [next_try_at(error, attempt, NOON) for attempt in range(1, attempts + 1)]
    return [moment - NOON if moment else None for moment in moments]


@pytest.mark.parametrize(
    "error",
    [
        RecordingError("x", final=False),
        ProviderUnavailableError("x", "x"),
        ProviderRateLimitedError("x", "x"),
        StoreError("x"),
        KeyError("x"),
    ],
)
def test_growing_delays_then_the_end(error: Exception) -> None:
    assert waits(error) == PLAN
    assert uses_up_attempt(error)


@pytest.mark.parametrize(
    "error",
    [RecordingError("x", final=True), ProviderRejectedError("x", "x")],
)
def test_what_repeating_cannot_help_is_final(error: Exception) -> None:
    assert waits(error) == [None] * 6


def test_a_lost_answer_is_tried_as_often_as_its_payer_may_allow() -> None:
    assert waits(AnswerLostError("amocrm", "x")) == PLAN
    assert waits(AnswerLostError("x", "x"), 4) == [MINUTE, 5 * MINUTE, 15 * MINUTE, None]


def test_an_unreadable_answer_is_paid_three_times_at_most() -> None:
    assert waits(ProviderAnswerError("x", "x"), 3) == [MINUTE, 15 * MINUTE, None]


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (ProviderStoppedError("x", "x"), timedelta(hours=1)),
        (SettingsError("x"), timedelta(hours=1)),
        (ConflictError("x"), timedelta(seconds=5)),
        (ProviderRateLimitedError("x", "x", retry_after=30), timedelta(seconds=30)),
        (ProviderRateLimitedError("x", "x", retry_after=0), timedelta(seconds=1)),
        (ProviderRateLimitedError("x", "x", retry_after=-5), timedelta(seconds=1)),
        (ProviderRateLimitedError("x", "x", retry_after=1e300), timedelta(hours=6)),
    ],
)
def test_waiting_for_somebody_else_never_ends_and_costs_no_attempt(
    error: MedaiError, wait: timedelta
) -> None:
    assert waits(error, 20) == [wait] * 20
    assert not uses_up_attempt(error)


def test_a_spent_quota_waits_for_its_reset() -> None:
    reset = NOON + timedelta(days=4)
    assert next_try_at(QuotaExceededError("x"), 9, NOON, quota_reset=reset) == reset
    assert not uses_up_attempt(QuotaExceededError("x"))


def test_unknown_errors_show_no_text_of_their_own() -> None:
    leak = ValueError("+79000000001 сказал: больно")
    assert failure_code(leak) == "internal"
    message = failure_message(leak)
    assert "9000000001" not in message
    assert "больно" not in message
    assert failure_message(StoreError("База недоступна")) == "База недоступна"
