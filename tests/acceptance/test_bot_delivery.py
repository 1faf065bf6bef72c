"""Delivery of notices when something fails: never twice, never lost without a trace, no noise."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from aiogram import Bot
from structlog.testing import capture_logs
from tests.fixtures.notices import KEEPER, MORNING, Notices

from medai.bot.notices import delivery as deliveries
from medai.bot.notices.delivery import deliver
from medai.bot.notices.posts import Post
from medai.bot.notices.writing import AwayError, write
from medai.digests.models import Morning
from medai.errors import ProviderStoppedError, StoreError
from medai.members.models import Role
from medai.processing.digests.deliveries import DELIVERIES, Due, Kind

OLGA, BORIS = 1, 2


async def staff(notices: Notices) -> None:
    await notices.clinic("elka", "Ёлка")
    await notices.person(OLGA, "elka", name="Ольга")
    await notices.person(BORIS, "elka", Role.MANAGER, name="Борис")


async def states(notices: Notices) -> dict[int, str]:
    found = notices.app.documents.find(DELIVERIES, {}, sort=(("_id", 1),))
    return {one["chat_id"]: one["state"] async for one in found}


async def told(notices: Notices, person: int) -> list[str]:
    """States of all deliveries to a person."""
    found = notices.app.documents.find(DELIVERIES, {"chat_id": person}, sort=(("at", 1),))
    return [one["state"] async for one in found]


async def heard(notices: Notices, messages: int) -> None:
    """Return once the bot has written so many messages."""
    query = {"after": 0, "count": messages, "wait": 20}
    log = await asyncio.to_thread(notices.sandbox.control.get, "/telegram/log", **query)
    assert len(log) >= messages


async def first_due(notices: Notices) -> Due:
    async for due in notices.app.digests.mornings.due():
        return due
    raise AssertionError("nothing is due")


async def test_a_crash_between_writing_and_sending_is_not_repeated(notices: Notices) -> None:
    await staff(notices)
    due = await first_due(notices)
    assert isinstance(due.content, Morning)
    assert await notices.app.digests.deliveries.claim(due)  # and here the process dies
    assert not await notices.app.digests.deliveries.claim(replace(due))
    async with notices.restarted() as another:
        running = asyncio.create_task(another.delivery.run())
        await heard(notices, 1)
        another.delivery.stop()
        await running
    assert (await states(notices))[due.chat_id] == "unknown"
    assert notices.texts(due.chat_id) == []
    assert len(notices.texts(OLGA) + notices.texts(BORIS)) == 1


async def test_too_many_requests_are_waited_for(notices: Notices) -> None:
    await staff(notices)
    notices.sandbox.control.fail(
        "telegram", "rate_limit_json", match="/sendMessage", seconds=1, times=2
    )
    await notices.delivery.mornings()
    assert [len(notices.texts(one)) for one in (OLGA, BORIS)] == [1, 1]


async def test_a_blocking_person_keeps_nobody_from_the_digest(notices: Notices) -> None:
    await staff(notices)
    notices.sandbox.control.post("/telegram/block", chat_id=OLGA)
    await notices.delivery.mornings()
    assert len(notices.texts(BORIS)) == 1
    assert (await states(notices))[OLGA] == "refused"
    notices.at(MORNING + timedelta(days=1))
    await notices.delivery.mornings()
    assert len(notices.texts(BORIS)) == 2
    assert (await told(notices, OLGA)) == ["refused"]  # nothing was even tried
    notices.sandbox.control.post("/telegram/block", chat_id=OLGA, blocked=False)
    await notices.delivery.mornings()
    assert notices.texts(OLGA) == []


@pytest.mark.parametrize("kind", ["reset_after_commit", "invalid_json"])
async def test_a_lost_answer_is_not_repeated(notices: Notices, kind: str) -> None:
    await staff(notices)
    notices.sandbox.control.fail("telegram", kind, match="/sendMessage")
    await notices.delivery.mornings()
    await notices.delivery.mornings()
    assert [len(notices.texts(one)) for one in (OLGA, BORIS)] == [1, 1]
    assert sorted((await states(notices)).values()) == ["sent", "unknown"]


async def test_what_was_not_written_for_certain_is_repeated(notices: Notices) -> None:
    await staff(notices)
    notices.sandbox.control.fail("telegram", "server_error", match="/sendMessage")
    with pytest.raises(AwayError):
        await notices.delivery.mornings()
    await notices.delivery.mornings()
    assert [len(notices.texts(one)) for one in (OLGA, BORIS)] == [1, 1]


async def test_an_outage_costs_one_line_and_then_all_goes_on(
    notices: Notices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "_ALERT_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(deliveries, "_DIGEST_PAUSE_SECONDS", 0.02)
    await staff(notices)
    notices.sandbox.control.fail("telegram", "server_error", match="/sendMessage", times=4)
    with capture_logs() as logs:
        running = asyncio.create_task(notices.delivery.run())
        await heard(notices, 2)
        notices.delivery.stop()
        await running
    told = [one["event"] for one in logs if one["event"].startswith("notices")]
    assert told == ["notices wait", "notices go on"]


async def test_a_store_that_is_away_costs_one_line(
    notices: Notices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "_ALERT_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(deliveries, "_DIGEST_PAUSE_SECONDS", 0.01)
    rounds = 0
    enough = asyncio.Event()

    async def away() -> int:
        nonlocal rounds
        rounds += 1
        if rounds > 5:
            enough.set()
        raise StoreError("Хранилище недоступно: проверьте адрес")

    monkeypatch.setattr(type(notices.app.digests.patients), "find", lambda _: away())
    with capture_logs() as logs:
        running = asyncio.create_task(notices.delivery.run())
        await asyncio.wait_for(enough.wait(), 20)
        notices.delivery.stop()
        await running
    assert [one["event"] for one in logs if one.get("round") == "alerts"] == ["notices wait"]


async def test_the_end_waits_for_the_message_under_way(
    notices: Notices, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()

    async def noticed(bot: Bot, chat_id: int, post: Post) -> int:
        begun.set()
        return await write(bot, chat_id, post)

    monkeypatch.setattr(deliveries, "write", noticed)
    await staff(notices)
    notices.sandbox.control.fail("telegram", "rate_limit_json", match="/sendMessage", seconds=1)
    beside = asyncio.create_task(deliver(notices.app, notices.bot))
    await begun.wait()
    beside.cancel()
    with pytest.raises(asyncio.CancelledError):
        await beside
    assert list((await states(notices)).values()) == ["sent"]


async def test_old_deliveries_are_forgotten(notices: Notices) -> None:
    await staff(notices)
    await notices.delivery.mornings()
    notices.at(MORNING + timedelta(days=61))
    await notices.delivery.mornings()
    found = notices.app.documents.find(DELIVERIES, {}, sort=(("_id", 1),))
    kinds = [(one["kind"], one["at"] > MORNING) async for one in found]
    assert kinds == [(Kind.MORNING, True)] * 2


async def interrupted(
    monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[int], Awaitable[None]]
) -> None:
    """See that something happens to the other one while the first message is being written."""
    begun: list[int] = []

    async def slow(bot: Bot, chat_id: int, post: Post) -> int:
        if not begun:
            begun.append(chat_id)
            await meanwhile(BORIS if chat_id == OLGA else OLGA)
        return await write(bot, chat_id, post)

    monkeypatch.setattr(deliveries, "write", slow)


@pytest.mark.parametrize("what", ["mornings", "alerts", "troubles"])
async def test_whoever_is_taken_out_while_others_are_written_to_hears_nothing(
    notices: Notices, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    await notices.clinic("elka", "Ёлка")
    for person in (OLGA, BORIS):
        await notices.person(person, "elka")
    await notices.call("elka", MORNING - timedelta(minutes=20))
    stopped = ProviderStoppedError("elevenlabs", "Ключ отвергнут")
    await notices.app.stops.stand_still("elevenlabs", "elka", stopped)

    async def taken_out(person: int) -> None:
        await notices.app.members.revoke("elka", person, by="cli")

    await interrupted(monkeypatch, taken_out)
    await getattr(notices.delivery, what)()
    assert sorted(len(notices.texts(one)) for one in (OLGA, BORIS)) == [0, 1]


async def test_a_message_of_somebody_taken_out_is_not_brought_up_to_date(notices: Notices) -> None:
    await staff(notices)
    await notices.call("elka", MORNING - timedelta(minutes=20))
    await notices.delivery.alerts()
    before = notices.texts(BORIS)
    await notices.app.members.revoke("elka", BORIS, by="cli")
    await notices.tap(OLGA, "🙋 Беру")
    await notices.delivery.alerts()
    assert "Взял(а): Ольга" in notices.texts(OLGA)[0]
    assert notices.texts(BORIS) == before


async def test_an_owner_who_is_a_manager_by_now_is_told_no_minutes(
    notices: Notices, monkeypatch: pytest.MonkeyPatch
) -> None:
    await notices.clinic("elka", "Ёлка")
    for person in (OLGA, BORIS):
        await notices.person(person, "elka")

    async def demoted(person: int) -> None:
        await notices.person(person, "elka", Role.MANAGER)

    await interrupted(monkeypatch, demoted)
    await notices.call("elka", MORNING - timedelta(days=1))
    for _ in range(2):
        await notices.delivery.mornings()
    told = ["Минуты" in text for one in (OLGA, BORIS) for text in notices.texts(one)]
    assert sorted(told) == [False, True]


async def test_a_group_that_became_a_supergroup_is_followed(notices: Notices) -> None:
    await notices.clinic("elka", "Ёлка")
    notices.sandbox.control.post("/telegram/move", chat_id=KEEPER, moved_to=-100900)
    with capture_logs() as logs:
        for provider in ("elevenlabs", "openai"):
            stopped = ProviderStoppedError(provider, "Ключ отвергнут")
            await notices.app.stops.stand_still(provider, "elka", stopped)
            await notices.delivery.troubles()
    assert len(notices.texts(-100900)) == 2
    told = [one for one in logs if "TELEGRAM_ADMIN_CHAT_ID" in one["event"]]
    assert [one["chat_id"] for one in told] == [-100900]
