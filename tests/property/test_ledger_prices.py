"""Costs add up, never fall and are free where prices are."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from medai.ledger.costs import Sums
from medai.ledger.models import Consumption
from medai.ledger.prices import COST_STEP, Prices

MONEY = st.decimals(min_value=0, max_value=1000, places=4)
PRICES = st.builds(
    Prices,
    currency=st.just("USD"),
    speech_hour=MONEY,
    speech_channel_hour=MONEY,
    million_input_tokens=MONEY,
    million_cached_tokens=MONEY,
    million_output_tokens=MONEY,
)
TOKENS = st.integers(0, 10_000_000)
USED = st.builds(
    Consumption,
    seconds=st.decimals(min_value=0, max_value=40_000, places=3),
    channels=st.integers(0, 2),
    input_tokens=TOKENS,
    cached_tokens=TOKENS,
    output_tokens=TOKENS,
)
SUMS = st.builds(
    Sums,
    done=TOKENS,
    unknown=TOKENS,
    seconds=st.decimals(min_value=0, max_value=40_000, places=3),
    input_tokens=TOKENS,
    cost=st.dictionaries(st.sampled_from(["USD", "RUB"]), MONEY),
    at_stake=st.dictionaries(st.sampled_from(["USD", "RUB"]), MONEY),
)


@given(PRICES, USED)
def test_a_cost_is_exact_to_its_step_and_never_negative(prices: Prices, used: Consumption) -> None:
    cost = prices.cost(used)
    assert cost >= 0
    assert cost == cost.quantize(COST_STEP)


@given(PRICES, USED)
def test_audio_and_tokens_are_billed_apart(prices: Prices, used: Consumption) -> None:
    audio = used.model_copy(update={"input_tokens": 0, "cached_tokens": 0, "output_tokens": 0})
    text = used.model_copy(update={"seconds": Decimal()})
    apart = prices.cost(audio) + prices.cost(text)
    assert abs(apart - prices.cost(used)) <= COST_STEP


@given(PRICES, USED, st.integers(0, 1_000_000))
def test_more_is_never_cheaper(prices: Prices, used: Consumption, more: int) -> None:
    for field in ("seconds", "input_tokens", "output_tokens"):
        bigger = used.model_copy(update={field: getattr(used, field) + more})
        if field == "input_tokens" and used.cached_tokens > used.input_tokens:
            continue  # an impossible count: the cap moves tokens from one price to the other
        assert prices.cost(bigger) >= prices.cost(used)


@given(USED)
def test_prices_of_nothing_cost_nothing(used: Consumption) -> None:
    zero = Decimal()
    free = Prices(
        currency="USD", speech_hour=zero, speech_channel_hour=zero, million_input_tokens=zero,
        million_cached_tokens=zero, million_output_tokens=zero,
    )  # fmt: skip
    assert free.cost(used) == 0


@given(SUMS, SUMS, SUMS)
def test_sums_may_be_added_in_any_order(one: Sums, two: Sums, three: Sums) -> None:
    assert one.plus(two) == two.plus(one)
    assert one.plus(two).plus(three) == one.plus(two.plus(three))
    assert one.plus(Sums()) == one
