"""Structured logs: JSON in production, readable lines elsewhere, never personal data.

Our lines come from structlog; those of libraries (standard logging) take the same form and masks.
Context (call_id, client_id, run_id, job_id, request_id) is bound at the doors, see `context`.
"""

import logging
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, TextIO

import structlog
from pydantic import SecretStr

from medai.infra.log_masks import Masks
from medai.infra.log_storms import OnePerWhile
from medai.settings import Settings

_QUOTING = ("httpx", "httpx2", "httpcore", "httpcore2", "elevenlabs", "openai", "procrastinate",
            "aiogram", "pymongo", "psycopg", "alembic", "langsmith", "urllib3",
            "python_multipart", "hpack", "h11")  # fmt: skip
"""Libraries whose own lines may hold headers, bodies or addresses with keys."""
_STORMY = {"psycopg.pool": "", "asyncio": "socket.accept() out of system resource"}
"""Logger -> how its storms begin: a pool warns of each attempt to connect while the server is away,
the event loop of each attempt to accept a connection while there are too many."""


def configure_logging(
    *, level: str, json_lines: bool, stream: TextIO | None = None, secrets: Iterable[str] = ()
) -> None:
    """Set up logging of this process; lines go to standard error unless a stream is given.

    `level` is that of our own lines; libraries never say less than INFO, and those that may quote
    what they carry less than WARNING. `secrets` are masked wherever they stand.
    """
    target = stream or sys.stderr
    masks = Masks(secrets)
    own = _processors(masks)
    renderer = _renderer(target, json_lines=json_lines)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *own, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(target),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=max(logging.getLevelName(level), logging.INFO), stream=target,
                        force=True)  # fmt: skip
    (handler,) = logging.root.handlers
    handler.setFormatter(_foreign_formatter(own, renderer))
    for name in _QUOTING:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name, beginning in _STORMY.items():
        calm = logging.getLogger(name)
        for old in [one for one in calm.filters if isinstance(one, OnePerWhile)]:
            calm.removeFilter(old)
        calm.addFilter(OnePerWhile(beginning))


def configure_from(settings: Settings, *, level: str | None = None) -> None:
    """Logging as the settings ask; `level` replaces theirs. Every secret setting is masked."""
    values = (getattr(settings, name) for name in type(settings).model_fields)
    secrets = [one.get_secret_value() for one in values if isinstance(one, SecretStr)]
    json_lines = settings.log_format == "json" or (
        settings.log_format == "auto" and settings.environment == "production"
    )
    configure_logging(level=level or settings.log_level, json_lines=json_lines, secrets=secrets)


def context(**facts: object) -> AbstractContextManager[Any]:
    """Every line logged inside carries the facts: ids only."""
    return structlog.contextvars.bound_contextvars(**facts)


def _processors(masks: Masks) -> list[Any]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        masks.fields,
        structlog.processors.format_exc_info,
        masks.values,
    ]


def _renderer(target: TextIO, *, json_lines: bool) -> Any:
    if json_lines:
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(colors=target.isatty())


def _foreign_formatter(own: list[Any], renderer: Any) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_logger_name,
            *own,
        ],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
