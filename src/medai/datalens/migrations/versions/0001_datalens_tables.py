"""The four DataLens tables: created where missing, adopted where an old installation made them.

Old tables differ (contract 3): call_details lacks its last three columns unless somebody added them
by hand, labels may be NULL, NULL labels let rows repeat, and people have altered the rest.
"""

from alembic import op

from medai.datalens.adoption import adopt
from medai.datalens.shapes import Shape

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_LABEL = "character varying(255)"
_LABELS = ("subdomain", "administrator", "call_direction", "source", "call_type")
_DAY = {
    "id": "integer",
    "metric_date": "date",
    "week_start_date": "date",
    "client_id": _LABEL,
    "subdomain": _LABEL,
    "administrator": _LABEL,
    "call_direction": "character varying(50)",
    "source": _LABEL,
    "call_type": _LABEL,
}
_MOMENT = "timestamp with time zone"
_DAY_KEY = ("metric_date", "client_id", *_LABELS)
_TABLES = (
    Shape(
        table="public.daily_summary_metrics",
        columns={
            **_DAY,
            "total_calls": "integer",
            "converted_calls": "integer",
            "conversion_rate": "numeric",
            "total_duration_seconds": "integer",
            "avg_duration_seconds": "numeric",
            "total_overall_score": "numeric",
            "scored_calls_count": "integer",
            "fg_percent": "numeric",
            "total_processing_speed_minutes": "numeric",
            "calls_with_processing_speed_count": "integer",
            "avg_processing_speed_minutes": "numeric",
            "created_at": _MOMENT,
        },
        primary="id",
        key=_DAY_KEY,
        required=("metric_date", "client_id"),
        texts=dict.fromkeys(_LABELS, ""),
    ),
    Shape(
        table="public.call_criteria_metrics",
        columns={
            **_DAY,
            "criterion_name": _LABEL,
            "total_score": "numeric",
            "scored_calls_count": "integer",
            "avg_score": "numeric",
            "created_at": _MOMENT,
        },
        primary="id",
        key=(*_DAY_KEY, "criterion_name"),
        required=("metric_date", "client_id", "criterion_name"),
        texts=dict.fromkeys(_LABELS, ""),
    ),
    Shape(
        table="public.call_details",
        columns={
            "call_mongo_id": "text",
            "metric_date": "date",
            **dict.fromkeys(
                ("administrator", "transcript_url", "recording_url", "recommendations_text",
                 "client_id", "subdomain", "call_id", "call_type"), "text",
            ),
            "is_effective": "boolean",
            "matched_criteria": "text",
        },
        primary="call_mongo_id",
        texts={},
    ),
    Shape(
        table="public.recommendation_analysis",
        columns={
            "id": "integer",
            "client_id": _LABEL,
            "start_date": "date",
            "end_date": "date",
            "period_type": "character varying(20)",
            "summary_points": "text[]",
            "overall_summary": "text",
            "created_at": _MOMENT,
        },
        primary="id",
        key=("client_id", "start_date", "end_date", "period_type"),
        required=("client_id", "end_date"),
        texts={"period_type": "weekly"},
    ),
)  # fmt: skip
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
    """Make the tables, or make what is there fit; put keys and indexes on them."""
    for shape in _TABLES:
        adopt(op.get_bind(), shape)
    for index, target in _INDEXES.items():
        op.execute(f"CREATE INDEX IF NOT EXISTS {index} ON public.{target}")


def downgrade() -> None:
    """Give labels their old freedom and drop the tables that hold nothing."""
    for shape in _TABLES:
        for label in shape.texts:
            alter = f"ALTER TABLE {shape.table} ALTER COLUMN {label}"
            op.execute(f"{alter} DROP NOT NULL")
            op.execute(f"{alter} DROP DEFAULT")
        rows = op.get_bind().exec_driver_sql(f"SELECT 1 FROM {shape.table} LIMIT 1")  # noqa: S608
        if rows.first() is None:
            op.execute(f"DROP TABLE {shape.table}")
