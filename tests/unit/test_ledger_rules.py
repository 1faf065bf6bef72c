"""Prices, outcomes and sums of the ledger: pure rules."""

from datetime import date
from decimal import Decimal

import pytest

from medai.errors import (
    AnswerLostError,
    MedaiError,
    NoAnswerError,
    ProviderAnswerError,
    ProviderRateLimitedError,
    ProviderRejectedError,
    ProviderStoppedError,
    ProviderUnavailableError,
    SettingsError,
    StoreError,
)
from medai.kit.days import DayRange
from medai.ledger.costs import DaySums, Grouping, Sums, cost_report
from medai.ledger.models import Consumption, EffectKind, EffectState
from medai.ledger.outcomes import outcome_of
from medai.ledger.prices import Prices, billed_seconds

PRICES = Prices(
    currency="USD",
    speech_hour=Decimal("0.242"),
    speech_channel_hour=Decimal("0.22"),
    million_input_tokens=Decimal("0.10"),
    million_cached_tokens=Decimal("0.01"),
    million_output_tokens=Decimal("0.50"),
)


@pytest.mark.parametrize(
    ("seconds", "channels", "cost"),
    [
        (300, 1, "0.020166667"),  # elevenlabs.md 7: five minutes with roles, $0.0202
        (3600, 1, "0.242"),
        (7200, 2, "0.44"),  # an hour of stereo is billed as two hours
        (0, 1, "0"),
    ],
)
def test_speech_is_billed_by_length_and_channel(seconds: int, channels: int, cost: str) -> None:
    used = Consumption(seconds=Decimal(seconds), channels=channels)
    assert PRICES.cost(used) == Decimal(cost)


def test_cached_tokens_are_cheaper_and_a_part_of_the_input() -> None:
    used = Consumption(input_tokens=4000, cached_tokens=1000, output_tokens=800)
    assert PRICES.cost(used) == Decimal("0.00071")  # 3000 * 0.10 + 1000 * 0.01 + 800 * 0.50
    assert PRICES.cost(Consumption()) == 0


def test_more_cached_than_sent_costs_as_all_cached() -> None:
    odd, all_cached = (Consumption(input_tokens=10, cached_tokens=n) for n in (999, 10))
    assert PRICES.cost(odd) == PRICES.cost(all_cached) > 0


@pytest.mark.parametrize(
    ("measured", "billed"), [(12.3456, "12.346"), (0.0, "0"), (-1.0, "0"), (1e5, "100000")]
)
def test_seconds_are_billed_to_the_millisecond(measured: float, billed: str) -> None:
    assert billed_seconds(measured) == Decimal(billed)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (AnswerLostError("p", "Потерян"), EffectState.UNKNOWN),
        (NoAnswerError("p", "Молчит"), EffectState.UNKNOWN),
        (ProviderAnswerError("p", "Не читается"), EffectState.UNKNOWN),
        (ProviderUnavailableError("p", "Недоступен"), EffectState.FAILED),
        (ProviderRateLimitedError("p", "Подождите"), EffectState.FAILED),
        (ProviderRejectedError("p", "Отклонено"), EffectState.FAILED),
        (ProviderStoppedError("p", "Нет средств"), EffectState.FAILED),
        (SettingsError("Нет ключа"), EffectState.FAILED),
        (StoreError("Нет места"), EffectState.FAILED),
    ],
)
def test_only_a_lost_answer_leaves_a_doubt(error: MedaiError, state: EffectState) -> None:
    outcome = outcome_of(error)
    assert (outcome.state, outcome.reason) == (state, error.code)


def spent(day: date, kind: EffectKind, cost: str, currency: str = "USD") -> DaySums:
    sums = Sums(done=1, seconds=Decimal(60), cost={currency: Decimal(cost)})
    return DaySums(day=day, kind=kind, sums=sums)


SPEECH, MODEL = EffectKind.RECOGNITION, EffectKind.LANGUAGE_MODEL
NOVEMBER, DECEMBER = date(2026, 11, 30), date(2026, 12, 1)
DAYS = DayRange(date(2026, 11, 15), date(2026, 12, 3))


def test_days_make_months_that_end_where_the_report_does() -> None:
    found = [spent(DECEMBER, SPEECH, "1"), spent(NOVEMBER, SPEECH, "2"),
             spent(date(2026, 11, 20), MODEL, "4")]  # fmt: skip
    report = cost_report("clinic-1", DAYS, Grouping.MONTH, found)
    assert [(p.first, p.last) for p in report.periods] == [
        (date(2026, 11, 15), NOVEMBER), (DECEMBER, date(2026, 12, 3)),
    ]  # fmt: skip
    assert report.periods[0].kinds[SPEECH].cost == {"USD": 2}
    assert report.periods[0].kinds[MODEL].cost == {"USD": 4}
    assert report.total.kinds[SPEECH].cost == {"USD": 3}
    assert report.total.kinds[SPEECH].done == 2
    assert report.total.kinds[EffectKind.CRM_NOTE] == Sums()
    by_day = cost_report("clinic-1", DAYS, Grouping.DAY, found)
    assert len(by_day.periods) == 3
    assert by_day.total == report.total


def test_two_currencies_are_never_added() -> None:
    found = [spent(NOVEMBER, SPEECH, "1"), spent(NOVEMBER, SPEECH, "90", "RUB")]
    report = cost_report("clinic-1", DAYS, Grouping.DAY, found)
    assert report.total.kinds[SPEECH].cost == {"USD": 1, "RUB": 90}
    assert len(report.periods) == 1
