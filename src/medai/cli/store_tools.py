"""A command for backup scripts: other programs get the addresses of the stores from us."""

import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Annotated

import typer
from psycopg.pq import Conninfo

from medai import __version__
from medai.cli.database import db
from medai.cli.running import guarded, read_settings, run_terminable
from medai.errors import InvalidInputError
from medai.infra.embedded_server import binaries
from medai.infra.logging import configure_from
from medai.infra.stores import postgres_dsn
from medai.settings import Settings

_ASIDE = " Повторите команду."


def register(_app: typer.Typer) -> None:
    """Add the command to the group of the stores."""
    db.command("run", context_settings={"ignore_unknown_options": True})(run)


def run(
    command: Annotated[list[str], typer.Argument(help="программа и её аргументы")],
) -> None:
    """Выполнить программу с адресами хранилищ в окружении: medai db run psql.

    PGHOST, PGUSER, PGPASSWORD и прочие переменные libpq, MEDAI_DATA_DIR; встроенная PostgreSQL
    запускается на это время, её программы (psql, pg_dump) есть в PATH.
    """
    settings = guarded(lambda: read_settings(medai_schedules=False), rest=_ASIDE)
    configure_from(settings, level="ERROR")
    sys.exit(guarded(lambda: run_terminable(lambda: _run(settings, command)), rest=_ASIDE))


async def _run(settings: Settings, command: list[str]) -> int:
    async with AsyncExitStack() as resources:
        dsn = await postgres_dsn(settings, resources)
        environment = store_environment(settings, dsn, os.environ)
        try:
            child = await asyncio.create_subprocess_exec(*command, env=environment)
        except OSError as error:
            raise InvalidInputError(f"Программа не запустилась: {command[0]}") from error
        try:
            return await child.wait()
        except asyncio.CancelledError:
            child.terminate()
            await child.wait()
            raise


def store_environment(settings: Settings, dsn: str, around: Mapping[str, str]) -> dict[str, str]:
    """The environment `around` us with the address of PostgreSQL as libpq reads it.

    The programs of our own PostgreSQL come first: no older server refuses them.
    """
    address = {
        option.envvar.decode(): option.val.decode()
        for option in Conninfo.parse(dsn.encode())
        if option.val is not None and option.envvar is not None
    }
    foreign = {k: v for k, v in around.items() if not k.startswith("PG")}
    path = os.pathsep.join((str(binaries()), around.get("PATH", os.defpath)))
    ours = {
        "MEDAI_DATA_DIR": str(settings.data_dir),
        "MEDAI_FILES_URL": settings.medai_files_url,
        "MEDAI_DOCUMENTS": "mongodb" if settings.mongodb_uri else "postgres",
        "MEDAI_VERSION": __version__,
        "MEDAI_PYTHON": sys.executable,
    }
    return {**foreign, **address, **ours, "PATH": path}
