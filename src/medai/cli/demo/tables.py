"""What the four DataLens tables hold, read back with plain SQL."""

from decimal import Decimal
from typing import Any

from psycopg.sql import SQL, Identifier

from medai.infra.postgres import Pool

SUMS: dict[str, tuple[str, ...]] = {
    "daily_summary_metrics": (
        "total_calls",
        "converted_calls",
        "total_duration_seconds",
        "total_overall_score",
        "scored_calls_count",
        "total_processing_speed_minutes",
        "calls_with_processing_speed_count",
    ),
    "call_criteria_metrics": ("total_score", "scored_calls_count"),
    "call_details": (),
    "recommendation_analysis": (),
}
"""Tables with the columns whose sums are compared."""


async def table_sums(pool: Pool) -> dict[str, dict[str, float]]:
    """Rows and column sums per table."""
    async with pool.connection() as connection:
        found = {}
        for table, columns in SUMS.items():
            sums = SQL(", ").join(
                SQL("coalesce(sum({}), 0)").format(Identifier(column)) for column in columns
            )
            query = SQL("SELECT count(*){comma}{sums} FROM {table}").format(
                comma=SQL(", " if columns else ""), sums=sums, table=Identifier("public", table)
            )
            row = await (await connection.execute(query)).fetchone()
            found[table] = dict(zip(("rows", *columns), map(_number, row or ()), strict=True))
        return found


def _number(value: Any) -> float:
    number = float(value) if isinstance(value, Decimal) else value
    return round(number, 4)
