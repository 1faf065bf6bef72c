"""Structured logs: JSON in production, readable lines elsewhere, never personal data."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

_SECRET_KEYS = (
    "token",
    "secret",
    "key",
    "password",
    "authorization",
    "phone",
    "text",
    "transcript",
)
"""An event field whose name holds one of these is masked: a safety net, not a licence."""

_PHONE = re.compile(
    r"(?<![\w.-])(?:\+?7|8)[ (-]{0,2}\d{3}[ )-]{0,2}\d{3}[ -]?\d{2}[ -]?\d{2}(?![\w-])"
)
"""Russian numbers as people and PBXs write them; ids and times do not look like this."""

_NOISY = ("httpx", "httpx2", "httpcore", "httpcore2", "elevenlabs", "openai", "procrastinate",
          "aiogram", "pymongo", "psycopg.pool", "alembic")  # fmt: skip
"""Libraries whose own lines may hold headers, bodies or addresses with keys."""


def configure_logging(*, level: str, json_lines: bool, stream: TextIO | None = None) -> None:
    """Set up logging of this process; lines go to standard error unless a stream is given."""
    target = stream or sys.stderr
    form = "%(levelname)s %(name)s %(message)s"
    logging.basicConfig(level=level, stream=target, format=form, force=True)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json_lines
        else structlog.dev.ConsoleRenderer(colors=target.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _mask,
            structlog.processors.format_exc_info,
            _mask_phones,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(target),
        cache_logger_on_first_use=False,
    )


def _mask(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in event:
        if key != "event" and any(word in key.lower() for word in _SECRET_KEYS):
            event[key] = "***"
    return event


def _mask_phones(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """The last net, for texts of foreign errors: they may quote what they could not digest."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = _PHONE.sub("***", value)
    return event
