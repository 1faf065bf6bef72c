"""Logs carry no secrets and no personal data."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from medai.infra.log_masks import Masks
from medai.infra.log_storms import OnePerWhile
from medai.infra.logging import configure_logging, context

Read = Callable[[], dict[str, Any]]


@pytest.fixture
def lines() -> Iterator[Read]:
    """Log to a buffer; reads its last line."""
    before, level = logging.root.handlers[:], logging.root.level
    stream = io.StringIO()
    configure_logging(level="INFO", json_lines=True, stream=stream)

    def read() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(stream.getvalue().splitlines()[-1])
        return found

    yield read
    logging.root.handlers[:] = before
    logging.root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize(
    "name", ["access_token", "client_secret", "api_key", "PHONE", "text", "transcript", "password"]
)
def test_secret_fields_are_masked(lines: Read, name: str) -> None:
    structlog.get_logger().info("stored", **{name: "hidden thing", "call_id": "abc"})
    assert lines()[name] == "***"
    assert lines()["call_id"] == "abc"


@pytest.mark.parametrize(
    "phone",
    ["+79000000001", "89000000001", "+7 (900) 000-00-01", "8 900 000 00 01", "7-900-000-00-01"],
)
def test_phones_are_masked_wherever_they_stand(lines: Read, phone: str) -> None:
    structlog.get_logger().info(f"call from {phone}", note=f"x{phone} ({phone})")
    assert lines()["event"] == "call from ***"
    assert "(***)" in lines()["note"]


def test_phones_in_errors_of_others_are_masked(lines: Read) -> None:
    try:
        int("cannot digest +7 900 000-00-01")
    except ValueError:
        structlog.get_logger().exception("step broke")
    assert "cannot digest ***'" in lines()["exception"]


@pytest.mark.parametrize(
    "text",
    ["b809c4bae03a6da399a424b2", "2026-11-19T07:15:05", "fbee67cc-69be-596e-abf8-79000000001a",
     "1763539200", "90000000000001"],
)  # fmt: skip
def test_ids_and_times_stay(lines: Read, text: str) -> None:
    structlog.get_logger().info("stored", value=text)
    assert lines()["value"] == text


def test_libraries_that_quote_bodies_are_quiet(lines: Read) -> None:
    for name in ("httpx2", "openai", "elevenlabs", "procrastinate", "aiogram"):
        assert not logging.getLogger(name).isEnabledFor(logging.INFO)


def test_lines_of_libraries_take_the_same_form_and_masks(lines: Read) -> None:
    with context(job_id=7):
        logging.getLogger("some.library").warning("failed for %s", "+7 900 000-00-01")
    line = lines()
    assert (line["event"], line["logger"], line["job_id"]) == ("failed for ***", "some.library", 7)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql://user:secret@host/db", "postgresql://***@host/db"),
        ("Authorization: Bearer abcdefgh12345", "Authorization: Bearer ***"),
        ("key sk-abcdefghijklmnopqrst", "key ***"),
        ("/bot1234567:AAbbCCddEEffGGhhIIjjKK/getMe", "/***/getMe"),
        ("eyJhbGciOiJI.eyJzdWIi.c2ln", "***"),
        ("our own value stands here", "our *** stands here"),
    ],
)
def test_credentials_are_masked_by_form_and_value(text: str, masked: str) -> None:
    assert Masks(["own value"]).text(text) == masked


def test_a_storm_is_one_line_with_a_count() -> None:
    now = 0.0
    calm = OnePerWhile(seconds=10.0, time=lambda: now)

    def record() -> logging.LogRecord:
        return logging.LogRecord("pool", logging.WARNING, "", 0, "no %s", ("server",), None)

    assert [calm.filter(record()) for _ in range(4)] == [True, False, False, False]
    now = 11.0
    last = record()
    assert calm.filter(last)
    assert last.getMessage() == "no server (3 more left out)"


def test_only_the_storm_itself_is_calmed() -> None:
    calm = OnePerWhile("no socket")
    said = ["no socket: 1", "no socket: 2", "a task failed", "a task failed"]
    records = [logging.LogRecord("asyncio", logging.ERROR, "", 0, one, (), None) for one in said]
    assert [calm.filter(one) for one in records] == [True, False, True, True]
