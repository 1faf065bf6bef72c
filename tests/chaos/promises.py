"""What must hold after an attack, whatever was done (design 7). Each check names what is broken."""

import math
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from tests.chaos.bills import differs_from_bill
from tests.chaos.site import Site

from medai.bootstrap import Application
from medai.calls.life import is_settled
from medai.calls.models import Call
from medai.cli.demo.comparison import CRM_LIMIT_PER_SECOND, compare
from medai.cli.running import EXIT_CODES
from medai.kit.clock import utc_now
from medai.limits.service import ABANDONED_AFTER
from medai.transcription.ledger import Payment, PaymentState
from medai.transcription.repository import RECOGNITIONS
from medai.worker.sweeping import sweep

STORED_SECONDS = 5.0
"""A worker killed this soon after an answer may not have stored it."""
_MARKER = re.compile(r"#medai:([0-9a-f]{24})(?::(\d+)/(\d+))?")
_PAYMENTS_LINE = "распознаваний оплачено"
"""Of the comparison: lost answers are checked here, one by one."""


@dataclass(slots=True)
class Verdict:
    """Totals for a table and every broken promise in words."""

    totals: dict[str, int]
    broken: list[str]


async def judged(site: Site) -> Verdict:
    """Export the day, let the sweep of an hour later clean up after the dead, then compare all
    with what the providers know.
    """
    async with site.application() as application:
        for client_id in site.client_ids:
            site.outcome.rows.update(await application.exports.export(client_id))
        calls = [
            call
            for client_id in site.client_ids
            async for call in application.calls.of_days(client_id, site.days)
        ]
        payments = [payment async for payment in _payments(application)]
        ours = [payment for payment in payments if payment.client_id in site.client_ids]
        broken = [
            *_unfinished(calls),
            *_paid(site, ours, calls),
            *_notes(site, calls),
            *[line async for line in _quotas(application, site, calls)],
            *[line async for line in _jobs(application)],
            *_too_fast(site),
            *_ended(site),
            *await _differences(application, site),
        ]
    async with site.application(lambda: utc_now() + ABANDONED_AFTER) as later:
        await sweep(later)
        broken += [line async for line in differs_from_bill(later, site, ours)]
        broken += [line async for line in _held_minutes(later, site)]
    return Verdict(_totals(site, ours, calls), broken)


def _unfinished(calls: list[Call]) -> Iterator[str]:
    for call in calls:
        if not is_settled(call):
            yield f"call {call.id} is stuck at {call.stage}: {_codes(call)}"
        elif call.transcript is None or call.crm_note is None or call.analysis is None:
            yield f"call {call.id} ended without its work: {_codes(call)}"


def _codes(call: Call) -> str:
    return ", ".join(f"{step}={failure.code}" for step, failure in call.failures.items()) or "-"


def _paid(site: Site, payments: list[Payment], calls: list[Call]) -> Iterator[str]:
    """Each audio once; more often only after a lost answer, and never without an entry of ours."""
    paid, ledger = site.ledger.stt_paid(), {payment.sha256: payment for payment in payments}
    lost = site.journal.lost(site.fleet.killed, grace_seconds=STORED_SECONDS)
    audios = {call.audio.sha256 for call in calls if call.audio}
    for sha256 in audios - paid.keys():
        yield f"audio {sha256[:8]} was never recognised"
    for sha256, times in paid.items():
        entry = ledger.get(sha256)
        if entry is None:
            yield f"audio {sha256[:8]} was paid but is not in our ledger"
            continue
        if times > 1 and sha256 not in lost:
            yield f"audio {sha256[:8]} was paid {times} times although no answer was lost"
        if times > 1 + entry.possibly_paid_twice:
            yield f"audio {sha256[:8]}: paid {times}, ledger: {_entry(entry)}"
        if entry.state is not PaymentState.DONE:
            yield f"audio {sha256[:8]} is not done: {_entry(entry)}"


def _entry(payment: Payment) -> str:
    return (
        f"{payment.state}, attempt {payment.attempt},"
        f" possibly paid twice {payment.possibly_paid_twice}"
    )


def _notes(site: Site, calls: list[Call]) -> Iterator[str]:
    """Each call has each part of its note once, on its own card, and knows the ids."""
    written = _written(site)
    for call in calls:
        found = written.pop(call.id, {})
        parts = [part for part, ids in found.items() for _ in ids]
        if sorted(parts) != list(range(1, len(call.crm_note.note_ids) + 1 if call.crm_note else 1)):
            yield f"call {call.id} has notes of parts {sorted(parts)}"
        ids = {note for many in found.values() for note in many}
        if call.crm_note and set(call.crm_note.note_ids) - ids:
            yield f"call {call.id} knows notes that are not on its card"
    yield from (f"notes of an unknown call {call_id}" for call_id in written)


def _written(site: Site) -> dict[str, dict[int, list[int]]]:
    """Our notes in all accounts: call -> part -> ids."""
    found: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for clinic in site.world.clinics:
        for note in site.control.get(f"/amocrm/{clinic.subdomain}/notes"):
            if marker := _MARKER.search(note["params"].get("text", "")):
                found[marker[1]][int(marker[2] or 1)].append(note["id"])
    return found


async def _quotas(application: Application, site: Site, calls: list[Call]) -> AsyncIterator[str]:
    for client_id in site.client_ids:
        limits = (await application.clinics.require(client_id)).limits
        own = [call.transcript for call in calls if call.client_id == client_id]
        used = sum(math.ceil(transcript.seconds) for transcript in own if transcript)
        if limits.month_used_seconds != used:
            yield f"clinic {client_id}: quota {limits.month_used_seconds} s, transcripts {used} s"


async def _held_minutes(application: Application, site: Site) -> AsyncIterator[str]:
    for client_id in site.client_ids:
        limits = (await application.clinics.require(client_id)).limits
        for call_id, held in limits.reservations.items():
            yield f"clinic {client_id}: a reservation of {call_id} is left ({held})"


async def _jobs(application: Application) -> AsyncIterator[str]:
    """Nothing is under way, nothing failed; what waits is a repetition for later."""
    query = (
        "SELECT status::text, task_name, count(*) FROM jobs.procrastinate_jobs"
        " WHERE status IN ('doing', 'failed') GROUP BY 1, 2"
    )
    async with application.pool.connection() as connection:
        for status, task, count in await (await connection.execute(query)).fetchall():
            yield f"{count} jobs {task} are left {status}"


def _ended(site: Site) -> Iterator[str]:
    """A process outlives its database; only one that was just starting may give up."""
    for number, code in site.fleet.ended.items():
        if code != EXIT_CODES["store_unavailable"]:
            yield f"process {number} ended by itself with {code}"


def _too_fast(site: Site) -> Iterator[str]:
    busiest = site.control.bill()["crm_max_requests_in_one_second_by_account"]
    for account, most in busiest.items():
        if most > CRM_LIMIT_PER_SECOND:
            crowd = "; ".join(site.journal.crowd(f"/amocrm/{account}/"))
            yield f"account {account} got {most} requests in one second: {crowd}"


async def _differences(application: Application, site: Site) -> list[str]:
    bill = site.control.bill()
    found = await compare(application, site.outcome, site.control.truth(), bill, site.days)
    return [line for line in found.differences if not line.startswith(_PAYMENTS_LINE)]


def _totals(site: Site, payments: list[Payment], calls: list[Call]) -> dict[str, int]:
    paid = site.ledger.stt_paid()
    return {
        "calls": len(calls),
        "recognitions paid": paid.total(),
        "audios paid more than once": sum(times > 1 for times in paid.values()),
        "audios listed as possibly paid twice": sum(p.possibly_paid_twice > 0 for p in payments),
        "audios held": sum(payment.state is PaymentState.UNKNOWN for payment in payments),
        "answers lost": len(site.journal.lost(site.fleet.killed, grace_seconds=STORED_SECONDS)),
        "notes": len(site.ledger.notes()),
        "answers of the model": site.control.bill()["llm_requests"],
    }


async def _payments(application: Application) -> AsyncIterator[Payment]:
    found = application.documents.find(RECOGNITIONS, {}, sort=[("_id", 1)])
    async for document in found:
        yield Payment.model_validate({"id": document.pop("_id"), **document})
