"""Costs and held work through the API and the command line."""

import asyncio
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest
from tests.fixtures.clinic_at_work import ClinicAtWork
from tests.fixtures.command_line import CommandLine, command_line
from tests.fixtures.sandbox import DAY
from tests.fixtures.service import Json, doors_of

from medai.access.models import OWNER
from medai.calls.models import Call, Step

NOTE = 1000004
ISO = DAY.isoformat()


async def lost(clinic: ClinicAtWork) -> Call:
    """A call whose recognition was paid and lost; nothing is repeated without being told to."""
    await clinic.sync()
    await clinic.wanted(NOTE)
    await clinic.run(NOTE, Step.RECORDING)
    clinic.sandbox.control.fail("elevenlabs", "reset_after_commit")
    return await clinic.run(NOTE, Step.TRANSCRIPTION)


async def test_the_api_lists_decides_and_adds_up(cautious: ClinicAtWork) -> None:
    call = await lost(cautious)
    async with doors_of(cautious.app) as doors:
        held = (await doors.owner.get("/api/held")).json()
        (item,) = held["items"]
        assert (held["total"], item["call_id"], item["kind"]) == (1, call.id, "recognition")
        assert (item["reason"], item["currency"]) == ("answer_lost", "USD")
        assert Decimal(item["cost"]) > 0
        assert item["age_seconds"] == 0
        other = await doors.owner.get("/api/held", params={"client_id": "another"})
        assert other.json()["total"] == 0
        decided = await decide(doors.owner, item["id"], "repeat")
        assert (decided.status_code, decided.json()["decision"]) == (200, "repeat")
        assert (await decide(doors.owner, item["id"], "repeat")).status_code == 404
        await cautious.run(NOTE, Step.TRANSCRIPTION, Step.NOTE, Step.ANALYSIS)
        costs = (await doors.owner.get(f"/api/costs/calls/{call.id}")).json()
        lines = costs["lines"]
        (decided_line,) = [line for line in lines if line["decision"]]
        assert (decided_line["id"], decided_line["decided_by"]) == (item["id"], OWNER.name)
        report = await check_costs(doors.owner, cautious, lines)
        assert costs["kinds"] == report["total"]["kinds"]


async def decide(client: httpx2.AsyncClient, item_id: str, decision: str) -> httpx2.Response:
    return await client.post(f"/api/held/{item_id}/decision", json={"decision": decision})


async def check_costs(
    client: httpx2.AsyncClient, clinic: ClinicAtWork, lines: list[dict[str, str]]
) -> Json:
    """The report's money is the lines' money."""
    query = {"client_id": clinic.client_id, "start_date": ISO, "end_date": ISO}
    for group in ("day", "month"):
        answer = await client.get("/api/costs", params={**query, "group": group})
        report = answer.json()
        total = report["total"]["kinds"]
        done = [line for line in lines if line["state"] == "done"]
        for kind in ("recognition", "language_model"):
            expected = sum(Decimal(line["cost"]) for line in done if line["kind"] == kind)
            assert Decimal(total[kind]["cost"]["USD"]) == expected > 0
        assert (total["crm_note"]["done"], total["crm_note"]["cost"]) == (1, {})
        assert (total["recognition"]["unknown"], len(report["periods"])) == (1, 1)
    found: Json = report
    return found


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/api/costs?client_id=nobody&start_date={ISO}&end_date={ISO}", 404),
        ("/api/costs?client_id=nobody", 422),
        (f"/api/costs/calls/{'0' * 24}", 404),
        (f"/api/costs?client_id=x&start_date={ISO}&end_date={ISO}&group=year", 422),
    ],
)
async def test_what_the_api_refuses(at_work: ClinicAtWork, path: str, status: int) -> None:
    async with doors_of(at_work.app) as doors:
        assert (await doors.owner.get(path)).status_code == status
        assert (await doors.stranger.get(path)).status_code == 401


async def test_a_decision_needs_a_key_and_a_known_word(at_work: ClinicAtWork) -> None:
    async with doors_of(at_work.app) as doors:
        assert (await decide(doors.stranger, "x:1", "repeat")).status_code == 401
        assert (await doors.stranger.get("/api/held")).status_code == 401
        assert (await decide(doors.owner, "x:1", "burn")).status_code == 422
        assert (await decide(doors.owner, "x:1", "give_up")).status_code == 404


@pytest.fixture
def shell(cautious: ClinicAtWork, prepared_dsn: str, tmp_path: Path) -> CommandLine:
    return command_line(cautious.sandbox.url, prepared_dsn, tmp_path)


async def test_the_command_line_shows_and_decides(
    cautious: ClinicAtWork, shell: CommandLine
) -> None:
    call = await lost(cautious)
    stubborn = {"STT_REPEATS_AFTER_LOST_ANSWER": "0"}
    (item,) = await cautious.app.held.items()
    listed, costs = await asyncio.gather(
        shell.run("held", "list", **stubborn),
        shell.run("costs", "--clinic", cautious.client_id, "--from", ISO),
    )
    assert [(one.code, one.err) for one in (listed, costs)] == [(0, ""), (0, "")]
    assert item.id in listed.out
    assert call.id in listed.out
    stake = item.cost.quantize(Decimal("0.0001"))
    assert f"Ответ потерян: 1; возможно оплачено ещё {stake} USD" in costs.out
    dropped = await shell.run("held", "drop", item.id, **stubborn)
    assert (dropped.code, dropped.err) == (0, "")
    failure = (await cautious.call(NOTE)).failures[Step.TRANSCRIPTION]
    assert (failure.next_try_at, "отклонена" in failure.message) == (None, True)
    (line,) = await cautious.app.ledger.of_call(call.id)
    assert line.decided_by == "cli"
