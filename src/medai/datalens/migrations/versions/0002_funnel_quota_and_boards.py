# ruff: noqa: S608 - names of our own, no values
"""Two tables the replaced system did not have; their views are made after every upgrade."""

from alembic import op

from medai.datalens.catalog import relation_kind
from medai.datalens.tables import BOARDS

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = {
    "call_funnel_metrics": """
        id SERIAL PRIMARY KEY, metric_date DATE NOT NULL, week_start_date DATE,
        client_id VARCHAR(255) NOT NULL, subdomain VARCHAR(255) NOT NULL DEFAULT '',
        administrator VARCHAR(255) NOT NULL DEFAULT '',
        call_direction VARCHAR(50) NOT NULL DEFAULT '', source VARCHAR(255) NOT NULL DEFAULT '',
        call_type VARCHAR(255) NOT NULL DEFAULT '', total_calls INTEGER NOT NULL,
        talk_calls INTEGER NOT NULL, transcribed_calls INTEGER NOT NULL,
        scored_calls INTEGER NOT NULL, booked_calls INTEGER NOT NULL,
        created_at TIMESTAMPTZ DEFAULT now(),
        CONSTRAINT uq_call_funnel_metrics UNIQUE (metric_date, client_id, subdomain,
            administrator, call_direction, source, call_type)""",
    "minute_quota_metrics": """
        id SERIAL PRIMARY KEY, client_id VARCHAR(255) NOT NULL, clinic_name TEXT NOT NULL,
        period_type VARCHAR(20) NOT NULL, period_start DATE NOT NULL, period_end DATE NOT NULL,
        used_seconds BIGINT NOT NULL, limit_seconds BIGINT NOT NULL,
        created_at TIMESTAMPTZ DEFAULT now(),
        CONSTRAINT uq_minute_quota_metrics UNIQUE (client_id, period_type, period_start)""",
}
_INDEXES = {
    "call_funnel_metrics": """CREATE INDEX IF NOT EXISTS ix_call_funnel_metrics_client
        ON public.call_funnel_metrics (client_id, metric_date)""",
}


def upgrade() -> None:
    """Make the tables; what stands there already is looked at after every upgrade."""
    for table, columns in _TABLES.items():
        if relation_kind(op.get_bind(), f"public.{table}") is None:
            op.execute(f"CREATE TABLE public.{table} ({columns})")
            op.execute(_INDEXES.get(table, "SELECT"))


def downgrade() -> None:
    """Drop the views and the tables that hold nothing."""
    for view in reversed(BOARDS):
        op.execute(f"DROP VIEW IF EXISTS public.{view}")
    for table in _TABLES:
        rows = op.get_bind().exec_driver_sql(f"SELECT 1 FROM public.{table} LIMIT 1")
        if rows.first() is None:
            op.execute(f"DROP TABLE public.{table}")
