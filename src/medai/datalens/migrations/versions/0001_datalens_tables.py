"""The four DataLens tables: created where missing, adopted where an old installation made them.

Old tables differ in three ways (contract 3): call_details lacks its last three columns unless
somebody added them by hand, labels may be NULL, and NULL labels let rows repeat.
"""

from alembic import op
from sqlalchemy import inspect

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_DAY = """
    id SERIAL PRIMARY KEY, metric_date DATE NOT NULL, week_start_date DATE,
    client_id VARCHAR(255) NOT NULL, subdomain VARCHAR(255), administrator VARCHAR(255),
    call_direction VARCHAR(50), source VARCHAR(255), call_type VARCHAR(255)"""
_CREATED = "created_at TIMESTAMPTZ DEFAULT now()"
_TABLES = {
    "daily_summary_metrics": f"""{_DAY},
        total_calls INTEGER, converted_calls INTEGER, conversion_rate NUMERIC,
        total_duration_seconds INTEGER, avg_duration_seconds NUMERIC,
        total_overall_score NUMERIC, scored_calls_count INTEGER, fg_percent NUMERIC,
        total_processing_speed_minutes NUMERIC, calls_with_processing_speed_count INTEGER,
        avg_processing_speed_minutes NUMERIC, {_CREATED}""",
    "call_criteria_metrics": f"""{_DAY}, criterion_name VARCHAR(255) NOT NULL,
        total_score NUMERIC, scored_calls_count INTEGER, avg_score NUMERIC, {_CREATED}""",
    "call_details": """call_mongo_id TEXT PRIMARY KEY, metric_date DATE, administrator TEXT,
        transcript_url TEXT, recording_url TEXT, recommendations_text TEXT, client_id TEXT,
        subdomain TEXT, call_id TEXT""",
    "recommendation_analysis": f"""id SERIAL PRIMARY KEY, client_id VARCHAR(255) NOT NULL,
        start_date DATE, end_date DATE NOT NULL, period_type VARCHAR(20) DEFAULT 'weekly',
        summary_points TEXT[], overall_summary TEXT, {_CREATED}""",
}
_ADDED = {"call_type": "TEXT", "is_effective": "BOOLEAN", "matched_criteria": "TEXT"}
_LABELS = ("subdomain", "administrator", "call_direction", "source", "call_type")
_DAY_KEY = ("metric_date", "client_id", *_LABELS)
_KEYS = {
    "daily_summary_metrics": _DAY_KEY,
    "call_criteria_metrics": (*_DAY_KEY, "criterion_name"),
    "recommendation_analysis": ("client_id", "start_date", "end_date", "period_type"),
}
_INDEXES = {
    "ix_daily_summary_metrics_date": "daily_summary_metrics (metric_date)",
    "ix_daily_summary_metrics_client": "daily_summary_metrics (client_id)",
    "ix_daily_summary_metrics_type": "daily_summary_metrics (call_type)",
    "ix_call_criteria_metrics_date": "call_criteria_metrics (metric_date)",
    "ix_call_criteria_metrics_client": "call_criteria_metrics (client_id)",
    "ix_call_criteria_metrics_type": "call_criteria_metrics (call_type)",
    "ix_call_criteria_metrics_criterion": "call_criteria_metrics (criterion_name)",
    "ix_call_details_client_date": "call_details (client_id, metric_date)",
}


def upgrade() -> None:
    """Create, complete and clean the tables, then put the keys on them."""
    for table, columns in _TABLES.items():
        op.execute(f"CREATE TABLE IF NOT EXISTS public.{table} ({columns})")
    for column, kind in _ADDED.items():
        op.execute(f"ALTER TABLE public.call_details ADD COLUMN IF NOT EXISTS {column} {kind}")
    for table, key in _KEYS.items():
        _remove_repeats(table, key)
        _require_labels(table, [column for column in key if column in _LABELS])
        _require_key(table, key)
    for index, target in _INDEXES.items():
        op.execute(f"CREATE INDEX IF NOT EXISTS {index} ON public.{target}")


def downgrade() -> None:
    """Give labels their old freedom and drop the tables that hold nothing."""
    for table in _TABLES:
        for label in _LABELS if table in {"daily_summary_metrics", "call_criteria_metrics"} else ():
            op.execute(
                f"ALTER TABLE public.{table} ALTER COLUMN {label} DROP NOT NULL,"
                f" ALTER COLUMN {label} DROP DEFAULT"
            )
        rows = op.get_bind().exec_driver_sql(f"SELECT 1 FROM public.{table} LIMIT 1")  # noqa: S608
        if rows.first() is None:
            op.execute(f"DROP TABLE public.{table}")


def _remove_repeats(table: str, key: tuple[str, ...]) -> None:
    """Of rows that NULL labels let repeat, the one written last is right."""
    same = " AND ".join(f"{_filled('old', c)} = {_filled('new', c)}" for c in key)
    op.execute(
        f"DELETE FROM public.{table} AS old USING public.{table} AS new"  # noqa: S608
        f" WHERE old.id < new.id AND {same}"
    )


def _filled(row: str, column: str) -> str:
    return f"coalesce({row}.{column}::text, '')"


def _require_labels(table: str, labels: list[str]) -> None:
    for label in labels:
        op.execute(f"UPDATE public.{table} SET {label} = '' WHERE {label} IS NULL")  # noqa: S608
        op.execute(
            f"ALTER TABLE public.{table} ALTER COLUMN {label} SET DEFAULT '',"
            f" ALTER COLUMN {label} SET NOT NULL"
        )


def _require_key(table: str, key: tuple[str, ...]) -> None:
    """Old tables have the same key under a name PostgreSQL gave it."""
    known = inspect(op.get_bind()).get_unique_constraints(table, schema="public")
    if not any(set(constraint["column_names"]) == set(key) for constraint in known):
        op.create_unique_constraint(f"uq_{table}", table, list(key), schema="public")
