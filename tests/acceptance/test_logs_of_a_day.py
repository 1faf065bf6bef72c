"""A whole processed day leaves nothing personal or secret in the logs, at no level."""

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from tests.fixtures.application import API_KEY, SECRET, process_day, settings_for
from tests.fixtures.sandbox import DAY, RunningSandbox
from tests.fixtures.service import doors_of

from medai.analysis.repository import ANALYSES
from medai.bootstrap import open_application
from medai.cli.demo.scenario import connect
from medai.crm.tokens import TOKENS
from medai.infra.logging import configure_logging
from medai.sandbox import credentials
from medai.transcription.repository import TRANSCRIPTS

_PHONE = re.compile(r"(?<!\w)(?:\+?7|8)9\d{9}(?!\w)")
_CYRILLIC = re.compile(r"[а-яё]{4,}", re.IGNORECASE)


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Everything that is logged, ours and foreign, at DEBUG."""
    before, level = logging.root.handlers[:], logging.root.level
    stream = io.StringIO()
    configure_logging(level="DEBUG", json_lines=True, stream=stream)
    yield stream
    logging.root.handlers[:] = before
    logging.root.setLevel(level)
    structlog.reset_defaults()


async def test_nothing_of_the_day_is_in_the_logs(
    sandbox: RunningSandbox, postgres_dsn: str, tmp_path: Any, written: io.StringIO
) -> None:
    settings = settings_for(sandbox.url, postgres_dsn, tmp_path, log_level="DEBUG")
    async with open_application(settings) as application:
        clinics = sandbox.control.clinics()[:1]
        await connect(application, clinics[0])
        sandbox.control.fail("elevenlabs", "reset_after_commit")
        sandbox.control.fail("openai", "server_error")
        sandbox.control.fail("amocrm", "server_error")
        await process_day(application, clinics, DAY)
        async with doors_of(application) as doors:
            await doors.owner.get("/api/calls/list", params={"client_id": clinics[0]["client_id"]})
            await doors.owner.get("/api/calls/download/0123456789abcdef01234567")
        calls = [one async for one in application.calls.of_days(None, None)]
        spoken = [one async for one in application.documents.find(TRANSCRIPTS, {}, sort=())]
        judged = [one async for one in application.documents.find(ANALYSES, {}, sort=())]
        tokens = [one async for one in application.documents.find(TOKENS, {}, sort=())]
    text = written.getvalue()
    lines = [json.loads(line) for line in text.splitlines()]  # every line is JSON
    assert len(lines) > 100
    assert spoken
    assert judged
    assert tokens
    assert {"debug", "info", "warning"} & {line["level"] for line in lines} >= {"info", "warning"}

    people = {name for call in calls for name in (call.contact_name, call.lead_name) if name}
    secrets = {API_KEY, SECRET, credentials.ELEVENLABS_KEY, credentials.OPENAI_KEY,
               str(clinics[0].get("client_secret") or SECRET)}  # fmt: skip
    found = [one for one in people | secrets | {call.phone for call in calls if call.phone}
             if one in text]  # fmt: skip
    assert found == []
    assert _PHONE.findall(text) == []
    # Our lines are English: a Russian word could only come from a transcript, a name or a message.
    assert set(_CYRILLIC.findall(text)) == set()


async def test_lines_of_a_job_carry_its_ids(
    sandbox: RunningSandbox, postgres_dsn: str, tmp_path: Any, written: io.StringIO
) -> None:
    settings = settings_for(sandbox.url, postgres_dsn, tmp_path)
    async with open_application(settings) as application:
        clinics = sandbox.control.clinics()[:1]
        await connect(application, clinics[0])
        await process_day(application, clinics, DAY)
        async with doors_of(application) as doors:
            number = {"X-Request-ID": "trace-of-a-test"}
            await doors.owner.get("/api/calls/download/0123456789abcdef01234567", headers=number)
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    posted = [
        line for line in lines
        if line["event"] == "amocrm_request" and line["method"] == "POST"
    ]  # fmt: skip
    assert posted
    for line in posted:  # the client of amoCRM knows no call: the job's door does
        assert {"call_id", "client_id", "job_id", "task"} <= line.keys()
    refused = [line for line in lines if line["event"] == "request refused"]
    assert [line["request_id"] for line in refused] == ["trace-of-a-test"]
