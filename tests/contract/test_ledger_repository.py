"""The ledger on a real PostgreSQL: states, races, sums by the clinic's own days."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.fixtures.transcription import SettableClock

from medai.errors import StoreError
from medai.infra.postgres import Pool
from medai.kit.days import DayRange, zone
from medai.ledger.costs import Grouping, Sums
from medai.ledger.models import (
    Consumption,
    Decision,
    Effect,
    EffectKind,
    EffectState,
    Intent,
    Outcome,
    Subject,
)
from medai.ledger.prices import Prices
from medai.ledger.repository import EffectRepository
from medai.ledger.service import EffectLedger

PRICES = Prices(
    currency="USD",
    speech_hour=Decimal("0.36"),
    speech_channel_hour=Decimal("0.18"),
    million_input_tokens=Decimal(1),
    million_cached_tokens=Decimal("0.1"),
    million_output_tokens=Decimal(5),
)
LEASE = timedelta(minutes=5)
HUNDRED_SECONDS = Consumption(seconds=Decimal(100), channels=1)
MOSCOW = zone("Europe/Moscow")
DONE = Outcome(state=EffectState.DONE)
LOST = Outcome(state=EffectState.UNKNOWN, reason="answer_lost")
FAILED = Outcome(state=EffectState.FAILED, reason="provider_rate_limited")


class Book:
    """A ledger with a clock that the test moves."""

    def __init__(self, pool: Pool) -> None:
        self.clock = SettableClock()
        self.repository = EffectRepository(pool)
        self.ledger = EffectLedger(self.repository, PRICES, self.clock)

    def intent(self, **changes: Any) -> Intent:
        fields: dict[str, Any] = {
            "id": "work:1",
            "kind": EffectKind.RECOGNITION,
            "provider": "elevenlabs",
            "model": "scribe_v2",
            "subject": Subject(client_id="clinic-1", call_id="call-1"),
            "expected": HUNDRED_SECONDS,
            "lease": LEASE,
        }
        return Intent(**{**fields, **changes})

    async def line(self, effect_id: str = "work:1") -> Effect:
        return (await self.ledger.by_ids([effect_id]))[effect_id]

    async def ended(self, *outcomes: Outcome) -> EffectState:
        effect_id = await self.ledger.begin(self.intent())
        for outcome in outcomes:
            await self.ledger.finish(effect_id, outcome)
        return (await self.line(effect_id)).state


@pytest.fixture
async def book(pool: Pool) -> Book:
    made = Book(pool)
    await asyncio.gather(*(made.repository.prepare() for _ in range(4)))
    return made


async def test_a_line_tells_everything_before_and_after(book: Book) -> None:
    began = book.clock()
    await book.ledger.begin(book.intent())
    line = await book.line()
    assert (line.state, line.requested_at, line.lease_until) == (
        EffectState.REQUESTED, began, began + LEASE,
    )  # fmt: skip
    assert (line.cost, line.currency, line.seconds) == (Decimal("0.01"), "USD", Decimal(100))
    book.clock.pass_time(timedelta(seconds=7))
    used = Consumption(seconds=Decimal("200.5"), channels=2)
    await book.ledger.finish(
        "work:1", Outcome(state=EffectState.DONE, provider_ref="req-9", used=used)
    )
    line = await book.line()
    assert (line.state, line.provider_ref, line.reason) == (EffectState.DONE, "req-9", None)
    assert (line.seconds, line.channels, line.cost) == (
        Decimal("200.5"), 2, Decimal("0.010025000"),
    )  # fmt: skip
    assert line.finished_at == book.clock() == began + timedelta(seconds=7)
    assert await book.ledger.of_call("call-1") == [line]
    assert await book.ledger.of_call("call-2") == []


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ((DONE, LOST), EffectState.DONE),
        ((DONE, FAILED), EffectState.DONE),
        ((LOST, DONE), EffectState.DONE),
        ((LOST, FAILED), EffectState.FAILED),
        ((FAILED, LOST), EffectState.FAILED),
        ((FAILED, DONE), EffectState.DONE),
        ((DONE, DONE), EffectState.DONE),
    ],
)
async def test_an_answer_ends_every_doubt_and_nothing_brings_one_back(
    book: Book, outcomes: tuple[Outcome, ...], state: EffectState
) -> None:
    assert await book.ended(*outcomes) is state


async def test_what_failed_costs_nothing_and_what_is_lost_may_cost_all(book: Book) -> None:
    await book.ended(FAILED)
    line = await book.line()
    assert (line.cost, line.seconds, line.reason) == (Decimal(), Decimal(), "provider_rate_limited")
    await book.ended(LOST)  # the same work is tried again
    line = await book.line()
    assert (line.cost, line.seconds, line.reason) == (Decimal("0.01"), Decimal(100), "answer_lost")


@pytest.mark.parametrize("outcome", [DONE, LOST])
async def test_a_line_that_may_have_cost_money_is_never_overwritten(
    book: Book, outcome: Outcome
) -> None:
    await book.ended(outcome)
    before = await book.line()
    beside = await book.ledger.begin(book.intent())
    assert beside != "work:1"
    assert await book.line() == before
    assert (await book.line(beside)).state is EffectState.REQUESTED
    assert len(await book.ledger.of_call("call-1")) == 2


async def test_the_lines_of_dead_processes_become_unknown_when_their_lease_ends(
    book: Book,
) -> None:
    await book.ledger.begin(book.intent())
    await book.ledger.begin(book.intent(id="later", lease=LEASE * 2))
    assert await book.ledger.expire(book.clock() + LEASE - timedelta(milliseconds=1)) == 0
    assert await book.ledger.expire(book.clock() + LEASE) == 1
    assert await book.ledger.expire(book.clock() + LEASE) == 0
    line = await book.line()
    assert (line.state, line.reason, line.cost) == (
        EffectState.UNKNOWN, "abandoned", Decimal("0.01"),
    )  # fmt: skip
    assert (await book.line("later")).state is EffectState.REQUESTED
    assert [one.id for one in await book.ledger.doubtful(EffectKind.RECOGNITION)] == ["work:1"]
    await book.ledger.finish("work:1", DONE)  # it was only slow
    assert (await book.line()).state is EffectState.DONE


async def test_a_decision_says_who_and_when_and_ends_the_doubt(book: Book) -> None:
    await book.ended(LOST)
    book.clock.pass_time(timedelta(hours=3))
    await book.ledger.decide("work:1", Decision.GIVE_UP, by="cli")
    line = await book.line()
    assert (line.decision, line.decided_by, line.decided_at) == (
        Decision.GIVE_UP, "cli", book.clock(),
    )  # fmt: skip
    assert await book.ledger.doubtful(EffectKind.RECOGNITION) == []


async def test_work_that_is_lost_again_after_a_decision_is_in_doubt_again(book: Book) -> None:
    note = book.intent(id="note:call-1:1", kind=EffectKind.CRM_NOTE, expected=Consumption())
    await book.ledger.begin(note)
    await book.ledger.finish(note.id, LOST)
    book.clock.pass_time(timedelta(hours=1))
    await book.ledger.decide(note.id, Decision.REPEAT, by="cli")
    assert await book.ledger.doubtful(EffectKind.CRM_NOTE) == []
    book.clock.pass_time(timedelta(minutes=1))
    await book.ledger.finish(note.id, FAILED)  # it was not on the card
    assert await book.ledger.begin(note) == note.id
    await book.ledger.finish(note.id, LOST)
    (again,) = await book.ledger.doubtful(EffectKind.CRM_NOTE)
    assert (again.decision, again.decided_by) == (Decision.REPEAT, "cli")


async def test_costs_belong_to_the_days_of_the_clinics_zone(book: Book) -> None:
    """21:00 UTC is midnight in Moscow; the 18th ends there."""
    for at, client_id in (
        (datetime(2026, 11, 18, 20, 59, 59, tzinfo=UTC), "clinic-1"),
        (datetime(2026, 11, 18, 21, 0, tzinfo=UTC), "clinic-1"),
        (datetime(2026, 11, 19, 20, 59, 59, tzinfo=UTC), "clinic-1"),
        (datetime(2026, 11, 19, 12, 0, tzinfo=UTC), "clinic-2"),
        (datetime(2026, 11, 30, 21, 0, tzinfo=UTC), "clinic-1"),
    ):
        book.clock.now = at
        await book.ledger.begin(
            book.intent(id=at.isoformat(), subject=Subject(client_id=client_id))
        )
        await book.ledger.finish(at.isoformat(), DONE)
    days = DayRange(date(2026, 11, 18), date(2026, 12, 31))
    report = await book.ledger.costs("clinic-1", days, MOSCOW)
    speech = [(p.first.isoformat(), p.kinds[EffectKind.RECOGNITION].done) for p in report.periods]
    assert speech == [("2026-11-18", 1), ("2026-11-19", 2), ("2026-12-01", 1)]
    by_month = await book.ledger.costs("clinic-1", days, MOSCOW, Grouping.MONTH)
    assert [(p.first.isoformat(), p.last.isoformat()) for p in by_month.periods] == [
        ("2026-11-18", "2026-11-30"), ("2026-12-01", "2026-12-31"),
    ]  # fmt: skip
    assert report.total == by_month.total
    only = await book.ledger.costs("clinic-1", DayRange(days.first, days.first), MOSCOW)
    assert only.total.kinds[EffectKind.RECOGNITION].done == 1


async def test_every_state_is_counted_where_it_belongs(book: Book) -> None:
    tokens = Consumption(input_tokens=1000, cached_tokens=400, output_tokens=100)
    for effect_id, kind, outcome in (
        ("a", EffectKind.RECOGNITION, DONE),
        ("b", EffectKind.RECOGNITION, LOST),
        ("c", EffectKind.RECOGNITION, FAILED),
        ("d", EffectKind.RECOGNITION, None),
        ("e", EffectKind.LANGUAGE_MODEL, Outcome(state=EffectState.DONE, used=tokens)),
        ("f", EffectKind.CRM_NOTE, DONE),
    ):
        speech = kind is EffectKind.RECOGNITION
        expected = HUNDRED_SECONDS if speech else Consumption()
        await book.ledger.begin(book.intent(id=effect_id, kind=kind, expected=expected))
        if outcome:
            await book.ledger.finish(effect_id, outcome)
    day = DayRange(book.clock().date(), book.clock().date())
    kinds = (await book.ledger.costs("clinic-1", day, MOSCOW)).total.kinds
    assert kinds[EffectKind.RECOGNITION] == Sums(
        done=1, unknown=1, failed=1, requested=1, seconds=Decimal(100),
        cost={"USD": Decimal("0.01")}, at_stake={"USD": Decimal("0.01")},
    )  # fmt: skip
    assert kinds[EffectKind.LANGUAGE_MODEL] == Sums(
        done=1, input_tokens=1000, cached_tokens=400, output_tokens=100,
        cost={"USD": Decimal("0.00114")},
    )  # fmt: skip
    assert kinds[EffectKind.CRM_NOTE] == Sums(done=1)


async def test_many_tasks_at_once_lose_nothing(book: Book) -> None:
    async def one(number: int) -> None:
        effect_id = await book.ledger.begin(book.intent(id=f"n{number}"))
        await asyncio.gather(*(book.ledger.finish(effect_id, each) for each in (LOST, DONE, LOST)))

    await asyncio.gather(*(one(number) for number in range(60)))
    day = DayRange(book.clock().date(), book.clock().date())
    sums = (await book.ledger.costs("clinic-1", day, MOSCOW)).total.kinds[EffectKind.RECOGNITION]
    assert (sums.done, sums.unknown) == (60, 0)
    assert sums.cost == {"USD": Decimal("0.6")}


async def test_costs_stay_exact_where_floats_would_not(book: Book) -> None:
    expected = Consumption(seconds=Decimal("0.001"), channels=1)
    for number in range(30):
        await book.ledger.begin(book.intent(id=f"n{number}", expected=expected))
        await book.ledger.finish(f"n{number}", DONE)
    day = DayRange(book.clock().date(), book.clock().date())
    sums = (await book.ledger.costs("clinic-1", day, MOSCOW)).total.kinds[EffectKind.RECOGNITION]
    assert (sums.seconds, sums.cost) == (Decimal("0.03"), {"USD": Decimal("0.000003")})


async def test_a_ledger_that_is_away_says_so(book: Book, pool: Pool) -> None:
    await pool.close()
    with pytest.raises(StoreError):
        await book.ledger.begin(book.intent())
