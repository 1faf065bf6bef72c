"""The job engine: procrastinate in a PostgreSQL schema of its own."""

from datetime import datetime
from typing import Any

import procrastinate
import psycopg
from procrastinate import exceptions as engine_errors

from medai.errors import StoreError
from medai.infra.postgres import Pool, advisory_lock

SCHEMA = "jobs"


def create_engine(dsn: str) -> procrastinate.App:
    """The engine's application; open it with `async with engine.open_async()`."""
    connector = procrastinate.PsycopgConnector(
        conninfo=dsn, kwargs={"options": f"-c search_path={SCHEMA}"}, min_size=1, max_size=12
    )
    return procrastinate.App(connector=connector)


async def prepare_schema(engine: procrastinate.App, pool: Pool) -> None:
    """Create the engine's tables where they are missing; safe from many processes at once."""
    async with advisory_lock(pool, "jobs-schema"), pool.connection() as connection:
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        cursor = await connection.execute(
            "SELECT to_regclass(%s) IS NOT NULL", (f"{SCHEMA}.procrastinate_jobs",)
        )
        row = await cursor.fetchone()
        if row is not None and not row[0]:
            await engine.schema_manager.apply_schema_async()


class JobQueue:
    """Defers jobs by task name, so that those who ask need not import those who work."""

    def __init__(self, engine: procrastinate.App) -> None:
        self._engine = engine

    async def defer(
        self,
        task: str,
        args: dict[str, Any],
        *,
        queue: str,
        key: str,
        lock: str,
        priority: int = 0,
        at: datetime | None = None,
    ) -> bool:
        """Queue a job; False when one with this key is waiting. Raises StoreError."""
        deferrer = self._engine.configure_task(
            task,
            queue=queue,
            lock=lock,
            queueing_lock=key,
            priority=priority,
            schedule_at=at,
        )
        try:
            await deferrer.defer_async(**args)
        except engine_errors.AlreadyEnqueued:
            return False
        except (engine_errors.ConnectorException, psycopg.OperationalError) as error:
            raise StoreError("Очередь заданий недоступна: проверьте PostgreSQL") from error
        return True
