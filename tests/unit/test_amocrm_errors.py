"""Each kind of failure has its own error, its own number of attempts, and no personal data."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import httpx2
import pytest
import structlog
from tests.fixtures.amocrm import EMPTY, FakeCrm, Step, listed, page, problem

from medai.errors import (
    AnswerLostError,
    MedaiError,
    ProviderAnswerError,
    ProviderError,
    ProviderRateLimitedError,
    ProviderRejectedError,
    ProviderStoppedError,
    ProviderUnavailableError,
)
from medai.integrations.amocrm import transport
from medai.integrations.amocrm.breaker import Breaker
from medai.integrations.amocrm.models import NewNote

OK = httpx2.Response(200, json={"id": 1})
NOTE = NewNote(5, "текст разговора")
WRITTEN = listed("notes", [{"id": 71, "entity_id": 5, "request_id": "0"}])


def limited(seconds: object = None, header: str | None = None) -> httpx2.Response:
    extra = {} if seconds is None else {"retry_after": seconds}
    response = problem(429, **extra)
    if header is not None:
        response.headers["Retry-After"] = header
    return response


async def read_fails(crm: FakeCrm, steps: Sequence[Step]) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await crm.client(steps).account()
    assert "900" not in caught.value.message
    assert "\n" not in caught.value.message
    return caught.value


async def write_fails(crm: FakeCrm, steps: Sequence[Step]) -> MedaiError:
    with pytest.raises(MedaiError) as caught:
        await crm.client(steps).add_notes("leads", [NOTE])
    assert "900" not in caught.value.message
    return caught.value


@pytest.mark.parametrize("status", [400, 404, 405, 422])
async def test_wrong_request_is_rejected_at_once(crm: FakeCrm, status: int) -> None:
    error = await read_fails(crm, [problem(status)])
    assert type(error) is ProviderRejectedError
    assert (error.status, error.request_id) == (status, "req-7")


async def test_validation_codes_are_named_but_not_values(crm: FakeCrm) -> None:
    errors = [
        {"code": "TooLong", "path": "0.params.text", "detail": "+7 900 000-00-02"},
        {"code": "79000000003 Анна", "path": "x"},
        {"code": "InvalidType", "path": "имя Анна"},
    ]
    answer = problem(400, **{"validation-errors": [{"request_id": "0", "errors": errors}]})
    error = await write_fails(crm, [answer])
    assert isinstance(error, ProviderRejectedError)
    assert "(400, TooLong 0.params.text, InvalidType)" in error.message


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (problem(402), "оплатите"),
        (page(402), "оплатите"),
        (problem(403), "администратора"),
        (problem(403, code=113), "белый список"),
        (problem(403, detail="Error 113: IP"), "белый список"),
        (page(403), "поддержку"),
        (httpx2.Response(301, headers={"Location": "https://evil.test/"}), "поддомен"),
    ],
)
async def test_account_that_needs_a_person_stops_with_advice(
    crm: FakeCrm, answer: httpx2.Response, advice: str
) -> None:
    error = await read_fails(crm, [answer])
    assert isinstance(error, ProviderStoppedError)
    assert advice in error.message
    assert len(crm.requests) == 1


@pytest.mark.parametrize("closing", [page(403), problem(402), problem(403, code=113)])
async def test_closed_account_is_not_asked_again_until_the_cool_down(
    crm: FakeCrm, closing: httpx2.Response
) -> None:
    client = crm.client([closing, OK])
    for _ in range(2):
        with pytest.raises(ProviderStoppedError):
            await client.account()
    assert len(crm.requests) == crm.turns == 1
    crm.clock.advance(timedelta(minutes=15).total_seconds())
    assert (await client.account()).id == 1


async def test_missing_rights_close_one_route_only(crm: FakeCrm) -> None:
    client = crm.client([problem(403), OK])
    with pytest.raises(ProviderStoppedError):
        await client.users()
    assert (await client.account()).id == 1


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (limited(), 5.0),
        (page(429), 5.0),
        (limited(seconds=7), 7.0),
        (limited(seconds=7, header="3"), 3.0),
        (limited(seconds="неясно"), 5.0),
        (limited(header="Thu, 01 Jan 1970 00:00:00 GMT"), None),
    ],
)
async def test_rate_limit_is_waited_out_as_named(
    crm: FakeCrm, answer: httpx2.Response, wait: float | None
) -> None:
    assert (await crm.client([answer, OK]).account()).id == 1
    assert crm.slept == ([] if wait is None else [wait])


async def test_rate_limited_write_is_repeated_because_it_was_refused_whole(crm: FakeCrm) -> None:
    assert await crm.client([limited(), WRITTEN]).add_notes("leads", [NOTE]) == [71]


async def test_third_rate_limit_in_a_row_closes_the_account_for_five_minutes(crm: FakeCrm) -> None:
    client = crm.client([limited(), limited(), limited(), OK])
    with pytest.raises(ProviderRateLimitedError):
        await client.account()
    assert crm.slept == [5.0, 10.0]
    with pytest.raises(ProviderRateLimitedError) as refused:
        await client.account()
    assert refused.value.retry_after == 300
    assert len(crm.requests) == 3
    crm.clock.advance(300)
    assert (await client.account()).id == 1


async def test_success_between_rate_limits_starts_the_count_anew(crm: FakeCrm) -> None:
    client = crm.client([limited(), limited(), OK, limited(), limited(), OK])
    await client.account()
    await client.account()
    assert crm.slept == [5.0, 10.0, 5.0, 10.0]


async def test_long_named_wait_is_left_to_the_caller(crm: FakeCrm) -> None:
    error = await read_fails(crm, [limited(seconds=300)])
    assert isinstance(error, ProviderRateLimitedError)
    assert (error.retry_after, error.request_id) == (300, "req-7")
    assert crm.slept == []


@pytest.mark.parametrize(
    "failing",
    [
        problem(500),
        page(502),
        page(503),
        page(504),
        httpx2.ConnectError("refused"),
        httpx2.ReadTimeout("slow"),
        httpx2.RemoteProtocolError("closed"),
    ],
)
async def test_reads_survive_two_failures_and_report_the_third(crm: FakeCrm, failing: Step) -> None:
    client = crm.client([failing, failing, OK, failing, failing, failing])
    assert (await client.account()).id == 1
    with pytest.raises(ProviderUnavailableError):
        await client.account()
    assert len(crm.requests) == 6
    first, second = crm.slept[:2]
    assert 0.5 <= first <= 1.5
    assert 1.0 <= second <= 3.0


@pytest.mark.parametrize(
    "failing",
    [
        problem(500),
        page(502),
        page(504),
        httpx2.ReadTimeout("slow"),
        httpx2.WriteError("cut"),
        httpx2.RemoteProtocolError("closed"),
        httpx2.Response(200, html="<html>"),
        httpx2.Response(200, json=[]),
        listed("notes", []),
    ],
)
async def test_write_that_may_have_been_done_is_lost_and_not_repeated(
    crm: FakeCrm, failing: Step
) -> None:
    assert isinstance(await write_fails(crm, [failing]), AnswerLostError)
    assert len(crm.requests) == 1


async def test_write_that_never_left_is_repeated(crm: FakeCrm) -> None:
    refused = httpx2.ConnectError("refused")
    assert await crm.client([refused, WRITTEN]).add_notes("leads", [NOTE]) == [71]
    error = await write_fails(FakeCrm(), [refused] * 3)
    assert isinstance(error, ProviderUnavailableError)


@pytest.mark.parametrize(
    "unreadable",
    [
        httpx2.Response(200, html="<html>log in</html>"),
        httpx2.Response(200, text='{"id": '),
        httpx2.Response(200, json=[1]),
        httpx2.Response(200, text="[" * 100_000),
        httpx2.DecodingError("not gzip"),
        httpx2.Response(200, text='{"id": ' + "9" * 5000 + "}"),
        EMPTY,
    ],
)
async def test_unreadable_success_is_named_so(crm: FakeCrm, unreadable: Step) -> None:
    assert isinstance(await read_fails(crm, [unreadable]), ProviderAnswerError)
    assert len(crm.requests) == 1


async def test_log_tells_request_id_and_status_but_no_secret(crm: FakeCrm) -> None:
    answer = listed("notes", [{"id": 71, "entity_id": 5, "request_id": "0"}])
    answer.headers["X-Request-Id"] = "req-9"
    with structlog.testing.capture_logs() as logs:
        await crm.client([page(429), answer]).add_notes("leads", [NOTE])
    done = [line for line in logs if line.get("status") == 200]
    assert [line["id"] for line in done] == ["req-9"]
    assert "t-1" not in str(logs)
    assert NOTE.text not in str(logs)


async def test_request_whose_turn_came_after_the_account_was_closed_is_not_sent(
    crm: FakeCrm,
) -> None:
    client = crm.client([page(403), OK])
    crm.held_turn = 1
    waiting = asyncio.create_task(client.account())
    await crm.turn_reached.wait()
    with pytest.raises(ProviderStoppedError):
        await client.account()
    crm.turn_gate.set()
    with pytest.raises(ProviderStoppedError):
        await waiting
    assert len(crm.requests) == 1


async def test_answer_that_drips_for_ever_is_given_up(
    crm: FakeCrm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "REQUEST_SECONDS", 0.01)

    async def never() -> httpx2.Response:
        await asyncio.Event().wait()
        raise AssertionError

    assert isinstance(await write_fails(crm, [lambda _: never()]), AnswerLostError)


def test_burst_of_refusals_is_one_strike(crm: FakeCrm) -> None:
    breaker = Breaker(crm.clock)
    seen = breaker.strikes
    for _ in range(5):
        breaker.limited(seen, None)
    assert (breaker.strikes, breaker.is_open, breaker.pause()) == (1, False, 5.0)


def test_account_closed_by_limits_says_so_even_after_an_earlier_ban(crm: FakeCrm) -> None:
    breaker = Breaker(crm.clock)
    breaker.stopped(ProviderStoppedError("amocrm", "x"))
    crm.clock.advance(900)
    breaker.limited(breaker.strikes, 61)
    with pytest.raises(ProviderRateLimitedError):
        breaker.check()
