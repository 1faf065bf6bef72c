"""A refresh token is used once, whoever asks and however many; the account is never lost."""

import asyncio
import base64
import json
from datetime import timedelta

import httpx2
import pytest
from tests.fixtures.amocrm import NOW, FakeCrm, MemoryStore, StandingClock, problem

from medai.errors import (
    InvalidInputError,
    ProviderRateLimitedError,
    ProviderStoppedError,
    ProviderUnavailableError,
)
from medai.integrations.amocrm.token_pair import TokenPair
from medai.integrations.amocrm.tokens import Tokens

DAY = timedelta(days=1)


class Authority:
    """Gives a new pair for the current refresh token and refuses a used one."""

    def __init__(self, clock: StandingClock, *, serial: int = 1) -> None:
        self.clock = clock
        self.serial = serial
        self.calls = 0
        self.failure: Exception | None = None
        self.entered = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    def pair(self) -> TokenPair:
        now = self.clock()
        return TokenPair(f"a{self.serial}", f"r{self.serial}", now + DAY, now)

    async def refresh(self, token: str) -> TokenPair:
        self.calls += 1
        self.entered.set()
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        if token != f"r{self.serial}":
            raise ProviderStoppedError("amocrm", "использован", status=401)
        self.serial += 1
        return self.pair()


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def authority(clock: StandingClock) -> Authority:
    return Authority(clock)


@pytest.fixture
def store(authority: Authority) -> MemoryStore:
    return MemoryStore(authority.pair())


@pytest.fixture
def tokens(store: MemoryStore, authority: Authority, clock: StandingClock) -> Tokens:
    return Tokens(store, authority.refresh, clock=clock)


async def test_fresh_token_is_used_as_it_is(tokens: Tokens, authority: Authority) -> None:
    assert [await tokens.bearer() for _ in range(3)] == ["a1"] * 3
    assert authority.calls == 0


async def test_hundred_coroutines_cause_one_refresh(
    tokens: Tokens, store: MemoryStore, authority: Authority, clock: StandingClock
) -> None:
    clock.advance(DAY.total_seconds())
    found = await asyncio.gather(*(tokens.bearer() for _ in range(100)))
    assert set(found) == {"a2"}
    assert authority.calls == 1
    assert store.locks == 1
    assert [pair.access for pair in store.saved] == ["a2"]


async def test_hundred_processes_cause_one_refresh(
    store: MemoryStore, authority: Authority, clock: StandingClock
) -> None:
    clock.advance(DAY.total_seconds())
    fleet = [Tokens(store, authority.refresh, clock=clock) for _ in range(100)]
    assert set(await asyncio.gather(*(each.bearer() for each in fleet))) == {"a2"}
    assert authority.calls == 1


async def test_hundred_rejections_cause_one_refresh(tokens: Tokens, authority: Authority) -> None:
    token = await tokens.bearer()
    found = await asyncio.gather(*(tokens.rejected(token) for _ in range(100)))
    assert set(found) == {"a2"}
    assert await tokens.rejected(token) == "a2"
    assert authority.calls == 1


async def test_rejected_token_that_another_process_replaced_costs_no_refresh(
    tokens: Tokens, store: MemoryStore, authority: Authority, clock: StandingClock
) -> None:
    token = await tokens.bearer()
    await Tokens(store, authority.refresh, clock=clock).rejected(token)
    assert await tokens.rejected(token) == "a2"
    assert authority.calls == 1


@pytest.mark.parametrize(
    ("life", "fresh", "due"),
    [
        (DAY, timedelta(hours=19), timedelta(hours=19, minutes=13)),
        (timedelta(minutes=15), timedelta(minutes=9), timedelta(minutes=10)),
        (timedelta(minutes=4), timedelta(minutes=1), timedelta(minutes=2)),
    ],
)
def test_refresh_is_due_at_four_fifths_or_five_minutes_before(
    life: timedelta, fresh: timedelta, due: timedelta
) -> None:
    pair = TokenPair("a", "r", NOW + life, NOW)
    assert not pair.is_due(NOW + fresh)
    assert pair.is_due(NOW + due)


def test_pair_without_a_birth_date_is_due_five_minutes_before_its_end() -> None:
    pair = TokenPair("a", "r", NOW + DAY)
    assert not pair.is_due(NOW + DAY - timedelta(minutes=6))
    assert pair.is_due(NOW + DAY - timedelta(minutes=5))


@pytest.mark.parametrize(
    "failure",
    [ProviderUnavailableError("amocrm", "нет"), ProviderRateLimitedError("amocrm", "ждать")],
)
async def test_early_refresh_that_fails_leaves_the_old_token_in_use(
    tokens: Tokens, authority: Authority, clock: StandingClock, failure: Exception
) -> None:
    clock.advance(timedelta(hours=20).total_seconds())
    authority.failure = failure
    assert [await tokens.bearer() for _ in range(5)] == ["a1"] * 5
    assert authority.calls == 1
    authority.failure = None
    clock.advance(60)
    assert await tokens.bearer() == "a2"


async def test_expired_token_is_never_given_out(
    tokens: Tokens, authority: Authority, clock: StandingClock
) -> None:
    clock.advance(DAY.total_seconds())
    authority.failure = ProviderUnavailableError("amocrm", "нет")
    with pytest.raises(ProviderUnavailableError):
        await tokens.bearer()


async def test_cancelled_waiter_does_not_lose_the_new_pair(
    tokens: Tokens, store: MemoryStore, authority: Authority, clock: StandingClock
) -> None:
    clock.advance(DAY.total_seconds())
    authority.gate.clear()
    waiter = asyncio.create_task(tokens.bearer())
    await authority.entered.wait()
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    authority.gate.set()
    assert await tokens.bearer() == "a2"
    assert authority.calls == 1
    assert [pair.access for pair in store.saved] == ["a2"]


async def test_dead_refresh_token_is_not_tried_again_until_somebody_reauthorises(
    tokens: Tokens, store: MemoryStore, authority: Authority, clock: StandingClock
) -> None:
    clock.advance(DAY.total_seconds())
    authority.serial = 7
    for _ in range(3):
        with pytest.raises(ProviderStoppedError):
            await tokens.bearer()
    assert authority.calls == 1
    store.pair = authority.pair()
    assert await tokens.bearer() == "a7"


async def test_account_without_tokens_asks_to_be_connected(authority: Authority) -> None:
    with pytest.raises(ProviderStoppedError, match="подключ"):
        await Tokens(MemoryStore(None), authority.refresh).bearer()


def jwt(**claims: object) -> str:
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"head.{part}.signature"


async def test_long_lived_token_serves_until_its_end_and_is_never_refreshed(
    authority: Authority, clock: StandingClock
) -> None:
    pair = TokenPair.long_lived(jwt(exp=int((NOW + DAY).timestamp())))
    assert pair.expires_at == NOW + DAY
    tokens = Tokens(MemoryStore(pair), authority.refresh, clock=clock)
    clock.advance(DAY.total_seconds() - 1)
    assert await tokens.bearer() == pair.access
    for ask in (tokens.bearer, lambda: tokens.rejected(pair.access)):
        clock.advance(1)
        with pytest.raises(ProviderStoppedError, match="Долгосрочный"):
            await ask()
    assert authority.calls == 0


@pytest.mark.parametrize("text", ["", "abc", "a.b.c", "a.!!!.c", jwt(exp="скоро"), jwt()])
def test_other_text_is_no_long_lived_token(text: str) -> None:
    with pytest.raises(InvalidInputError):
        TokenPair.long_lived(text)


def test_secrets_stay_out_of_repr() -> None:
    assert "s3" not in repr(TokenPair("s3-a", "s3-r", NOW))


async def test_rejected_request_is_repeated_once_with_the_new_token(crm: FakeCrm) -> None:
    authority = Authority(crm.clock)
    crm.store = MemoryStore(authority.pair())
    client = crm.client(
        [problem(401), httpx2.Response(200, json={"id": 1})], refresh=authority.refresh
    )
    assert (await client.account()).id == 1
    assert [request.headers["Authorization"] for request in crm.requests] == [
        "Bearer a1", "Bearer a2",
    ]  # fmt: skip
    assert crm.turns == 2


async def test_second_rejection_stops(crm: FakeCrm) -> None:
    authority = Authority(crm.clock)
    crm.store = MemoryStore(authority.pair())
    client = crm.client([problem(401), problem(401)], refresh=authority.refresh)
    with pytest.raises(ProviderStoppedError, match="заново"):
        await client.account()
    assert authority.calls == 1


async def test_limited_token_endpoint_is_waited_out(crm: FakeCrm) -> None:
    crm.store = MemoryStore(TokenPair("a", "r", NOW))
    outcomes: list[Exception | TokenPair] = [
        ProviderRateLimitedError("amocrm", "ждать", retry_after=4),
        TokenPair("b", "r2", NOW + DAY),
    ]

    async def refresh(_: str) -> TokenPair:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    client = crm.client([httpx2.Response(200, json={"id": 1})], refresh=refresh)
    assert (await client.account()).id == 1
    assert crm.slept == [4.0]
