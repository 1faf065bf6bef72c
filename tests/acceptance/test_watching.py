"""What machines that watch the service see: measures, liveness, readiness, request numbers."""

import asyncio
import re
from pathlib import Path

import httpx2
import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families
from tests.fixtures.application import API_KEY, settings_for
from tests.fixtures.clinic_at_work import ClinicAtWork
from tests.fixtures.sandbox import DAY, RunningSandbox
from tests.fixtures.service import Doors, doors_of

from medai.api.app import create_api
from medai.api.request_ids import HEADER
from medai.bootstrap import Application, open_application
from medai.calls.models import Step
from medai.clinics.models import MinuteLimits
from medai.kit.days import DayRange
from medai.ledger.models import EffectKind
from medai.processing import figures
from medai.processing.exposition import families

NOTE = 1000004
TOKEN = "prometheus-reads-with-this-token"

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(text: str) -> Samples:
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


async def measured(clinic: ClinicAtWork) -> Samples:
    async with doors_of(clinic.app) as doors:
        answer = await doors.owner.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return samples(answer.text)


async def test_a_calls_way_is_measured(
    at_work: ClinicAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "KEPT_SECONDS", 0.0)
    before = await measured(at_work)
    await at_work.sync()
    await at_work.wanted(NOTE)
    waiting = await measured(at_work)
    call = await at_work.run(NOTE, *Step)
    after = await measured(at_work)

    def grew(name: str, **labels: str) -> float:
        key = (name, frozenset(labels.items()))
        return after[key] - before.get(key, 0.0)

    assert call.transcript is not None
    assert grew("medai_steps_total", step="transcription", code="done") == 1
    assert grew("medai_step_seconds_count", step="analysis") == 1
    assert grew("medai_provider_request_seconds_count", provider="elevenlabs") == 1
    assert grew("medai_provider_request_seconds_count", provider="recordings") == 1
    assert grew("medai_provider_request_seconds_count", provider="amocrm") > 5
    assert grew("medai_llm_tokens_total", model="gpt-6-luna", kind="input") > 100
    costs = (await at_work.app.ledger.call_costs(call.id)).kinds
    billed = costs[EffectKind.RECOGNITION].seconds
    assert grew("medai_stt_audio_seconds_total", model="scribe_v2") == pytest.approx(float(billed))
    for provider, kind in (
        ("elevenlabs", EffectKind.RECOGNITION),
        ("openai", EffectKind.LANGUAGE_MODEL),
    ):
        spent = grew("medai_money_spent_total", provider=provider, currency="USD")
        assert spent == pytest.approx(float(costs[kind].cost["USD"])), provider
    assert value(waiting, "medai_calls", stage="recorded") > 10
    assert (
        value(waiting, "medai_oldest_unfinished_call_seconds", stage="recorded")
        == (at_work.clock() - call.started_at).total_seconds()
    )
    assert value(after, "medai_oldest_unfinished_call_seconds", stage="recorded") == 0
    assert value(after, "medai_calls", stage="analysed") == 1
    quota = {"client_id": at_work.client_id, "period": "month"}
    assert value(after, "medai_quota_used_seconds", **quota) == round(call.transcript.seconds)
    assert value(after, "medai_quota_limit_seconds", **quota) == MinuteLimits().monthly_seconds
    assert value(after, "medai_jobs", queue="transcription", state="todo") >= 0


async def test_stops_failures_and_held_work_are_measured(
    cautious: ClinicAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "KEPT_SECONDS", 0.0)
    before = await measured(cautious)
    await cautious.sync()
    await cautious.wanted(NOTE)
    await cautious.run(NOTE, Step.RECORDING)
    cautious.sandbox.control.fail("elevenlabs", "reset_after_commit")
    await cautious.run(NOTE, Step.TRANSCRIPTION)
    cautious.sandbox.control.fail("elevenlabs", "quota", times=5)
    other = next(one for one in await _notes(cautious) if one != NOTE)
    await cautious.wanted(other)
    await cautious.run(other, Step.RECORDING, Step.TRANSCRIPTION)

    after = await measured(cautious)

    assert value(after, "medai_held", kind="recognition") == 1
    assert value(after, "medai_stops", provider="elevenlabs") == 1
    lost = ("medai_provider_errors_total", {"provider": "elevenlabs", "code": "answer_lost"})
    key = (lost[0], frozenset(lost[1].items()))
    assert after[key] - before.get(key, 0.0) == 1


async def _notes(clinic: ClinicAtWork) -> list[int]:
    found = await clinic.documents()
    return [one["note_id"] for one in found if one["stage"] == "recorded" and one["recording_url"]]


async def test_waiting_jobs_are_measured(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    await at_work.app.requests.everything(at_work.client_id, DayRange(DAY, DAY))
    found = await measured(at_work)
    waiting = len(await at_work.jobs("fetch_recording"))
    assert waiting > 10
    assert value(found, "medai_jobs", queue="recordings", state="todo") == waiting
    assert value(found, "medai_jobs_due", queue="recordings") == waiting
    assert 0 < value(found, "medai_oldest_due_job_seconds", queue="recordings") < 60
    assert value(found, "medai_oldest_due_job_seconds", queue="reports") == 0
    assert value(found, "medai_workers", state="alive") == 0


async def test_measures_name_no_call_phone_or_person(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    await at_work.wanted(NOTE)
    await at_work.run(NOTE, *Step)
    async with doors_of(at_work.app) as doors:
        text = (await doors.owner.get("/metrics")).text
    for call in await at_work.documents():
        for secret in (call["_id"], call["phone"], call["lead_name"], call["contact_name"]):
            assert not secret or secret not in text
    assert len(text.splitlines()) < 600
    assert at_work.subdomain not in text


async def test_a_reading_is_kept_for_a_while_and_shared(doors: Doors) -> None:
    found = await asyncio.gather(*(doors.application.figures.reading() for _ in range(5)))
    assert len({id(one) for one in found}) == 1
    assert not found[0].missing


async def test_a_part_that_cannot_be_read_is_named_and_the_rest_is_there(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "KEPT_SECONDS", 0.0)
    async with doors.application.pool.connection() as connection:
        monkeypatch.setattr(figures, "PART_SECONDS", 0.5)
        await connection.execute("BEGIN")
        await connection.execute("LOCK TABLE jobs.procrastinate_jobs")
        found = await doors.application.figures.reading()
        await connection.execute("ROLLBACK")
    assert "queues" in found.missing
    names = {family.name for family in families(found)}
    assert "medai_jobs" not in names
    assert {"medai_calls", "medai_figures_missing"} <= names


async def test_the_token_of_measures_opens_nothing_else(
    sandbox: RunningSandbox, postgres_dsn: str, tmp_path: Path
) -> None:
    settings = settings_for(sandbox.url, postgres_dsn, tmp_path, medai_metrics_token=TOKEN)
    async with open_application(settings) as application, doors_of(application) as doors:

        async def status(path: str, token: str) -> int:
            given = {b"Authorization": f"Bearer {token}".encode()}
            return (await doors.stranger.get(path, headers=given)).status_code

        assert await status("/metrics", TOKEN) == 200
        assert await status("/api/calls/list", TOKEN) == 401
        for wrong in ("", TOKEN[:-1], API_KEY, "ключ"):
            assert await status("/metrics", wrong) == 401


async def test_without_a_token_no_bearer_is_let_in(doors: Doors) -> None:
    for given in ("Bearer ", "Bearer", "Bearer x"):
        answer = await doors.stranger.get("/metrics", headers={"Authorization": given})
        assert answer.status_code == 401


async def test_ready_while_the_stores_answer(doors: Doors) -> None:
    answer = await doors.stranger.get("/health/ready")
    assert answer.json() == {"status": "ready"}
    assert (await doors.stranger.get("/health/live")).json() == {"status": "alive"}


async def test_not_ready_but_alive_when_a_store_is_gone(doors: Doors) -> None:
    await doors.application.pool.close()
    answer = await doors.stranger.get("/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "not_ready"})
    assert (await doors.stranger.get("/health/live")).status_code == 200
    measures = await doors.owner.get("/metrics")
    assert measures.status_code == 200
    assert value(samples(measures.text), "medai_figures_missing", part="calls") == 1


@pytest.mark.parametrize(
    ("given", "kept"),
    [("trace-0123abcd", True), ("79000000001", False), ("x" * 65, False), ("a b c d e", False),
     ("<script>alert", False), ("", False)],
)  # fmt: skip
async def test_a_request_has_a_number(doors: Doors, given: str, kept: bool) -> None:
    answer = await doors.stranger.get("/api/calls/list", headers={HEADER: given})
    number = answer.headers[HEADER]
    assert (number == given) is kept
    assert re.fullmatch(r"[A-Za-z0-9._-]{8,64}", number)


async def test_a_refusal_is_logged_by_its_route_not_by_its_path(doors: Doors) -> None:
    phone = "9000000001"  # without a country code no mask would know it
    with structlog.testing.capture_logs() as lines:
        answer = await doors.owner.get(f"/api/transcriptions/{phone}_20261119_120000.txt/download")
    assert answer.status_code == 404
    (line,) = [one for one in lines if one["event"] == "request refused"]
    assert str(line["route"]).endswith("/transcriptions/{filename}/download")
    assert phone not in str(lines)


async def test_an_answer_about_a_fault_of_ours_has_the_number_it_speaks_of(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(application.run_book, "newest", broken)
    transport = httpx2.ASGITransport(create_api(application), raise_app_exceptions=False)
    key = {"X-API-Key": API_KEY, HEADER: "number-of-a-test"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://t", headers=key) as http:
        answer = await http.get("/api/runs")
    assert (answer.status_code, answer.headers[HEADER]) == (500, "number-of-a-test")
    assert HEADER in answer.json()["detail"]
