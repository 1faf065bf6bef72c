"""What every command does around its own work: settings, logs, errors as one line and a code."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from datetime import date, timedelta
from typing import TypeVar

from pydantic import ValidationError
from rich.console import Console

from medai.bootstrap import Application, open_application
from medai.cli.wrong_settings import told
from medai.errors import MedaiError, SettingsError
from medai.infra.logging import configure_from
from medai.kit.clock import utc_now
from medai.settings import Settings

Result = TypeVar("Result")

console = Console(highlight=False)
"""Where answers go."""
errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
"""Where problems go."""

EXIT_CODES = {
    "internal": 1,
    "invalid_input": 2,
    "not_found": 3,
    "settings": 4,
    "store_unavailable": 5,
    "limit_exceeded": 6,
    "recording_unavailable": 7,
    "access_denied": 8,
    "conflict": 9,
    "provider": 10,
    "provider_unavailable": 11,
    "provider_rate_limited": 12,
    "provider_stopped": 13,
    "provider_rejected": 14,
    "provider_answer": 15,
    "answer_lost": 16,
    "report_rendering": 17,
    "metrics_export": 18,
    "stored_data": 19,
    "incomplete": 20,
    "unhealthy": 21,
}
"""Stable exit codes for scripts and cron; "incomplete": some calls wait or failed;
"unhealthy": `medai doctor` has found a problem."""

_GOES_ON = " Незаконченное продолжится при следующем запуске."
_INTERRUPTED = 130
_TERMINATED = 143


class IncompleteError(MedaiError):
    """The command ended before every call was done; the rest continues later by itself."""

    code = "incomplete"


def read_settings(**overrides: object) -> Settings:
    """The settings of the environment. Raises SettingsError that names the wrong variables."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # values are checked by pydantic
    except ValidationError as error:
        raise SettingsError(told(error)) from error


def with_application(
    work: Callable[[Application], Awaitable[Result]], *, quiet: bool = False, serves: bool = False
) -> Result:
    """Open the application, do the work, close it; problems end the process with their code.

    `quiet` keeps log lines out of the way of a progress bar: what failed is said at the end.
    Only a command that `serves` runs schedules: workers of others live as long as their work.
    """

    async def opened() -> Result:
        settings = read_settings() if serves else read_settings(medai_schedules=False)
        level = "ERROR" if quiet and settings.log_level == "INFO" else settings.log_level
        configure_from(settings, level=level)
        async with open_application(settings) as application:
            return await work(application)

    return guarded(lambda: run_terminable(opened))


def run_terminable(main: Callable[[], Coroutine[None, None, Result]]) -> Result:
    """`asyncio.run` that SIGTERM and SIGINT end by cancelling, so that everything closes.

    Sent again they change nothing: closing takes a moment, and a person presses Ctrl+C twice.
    Raises asyncio.CancelledError after SIGTERM, KeyboardInterrupt after SIGINT.
    """
    received: list[signal.Signals] = []

    async def terminable() -> Result:
        task = asyncio.current_task()

        def end(number: signal.Signals) -> None:
            if task is not None and not received:
                task.cancel()
            received.append(number)

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, end, number)
        return await main()

    try:
        return asyncio.run(terminable())
    except asyncio.CancelledError:
        # What is left of the process only ends: an interruption now would stop it half-way.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if received[:1] == [signal.SIGINT]:
            raise KeyboardInterrupt from None
        raise


def guarded(work: Callable[[], Result], *, rest: str = _GOES_ON) -> Result:
    """Do the work; a known problem becomes one line and an exit code.

    `rest` tells what becomes of unfinished work when a person or the system ends it.
    """
    try:
        return work()
    except KeyboardInterrupt:
        errors.print(f"Прервано.{rest}")
        sys.exit(_INTERRUPTED)
    except asyncio.CancelledError:
        errors.print(f"Остановлено.{rest}")
        sys.exit(_TERMINATED)
    except MedaiError as error:
        errors.print(f"Ошибка: {error.message}")
        sys.exit(EXIT_CODES.get(error.code, 1))


def yesterday() -> date:
    """The newest day that is over everywhere in Russia."""
    return utc_now().date() - timedelta(days=1)
