"""The tables DataLens reads: four exactly as old dashboards expect them (contract 3), two of ours.

The database must stay what these tables say; `migrations/` brings any older one there.
Label columns are NOT NULL, unlike the old ones: a NULL label defeats a unique key.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

SCHEMA = "public"
METADATA = MetaData(schema=SCHEMA)
LABELS = ("subdomain", "administrator", "call_direction", "source", "call_type")
_DAY_KEY = ("metric_date", "client_id", *LABELS)


def _serial() -> Column[int]:
    return Column("id", Integer, primary_key=True)


def _created_at() -> Column[datetime]:
    return Column("created_at", DateTime(timezone=True), server_default=text("now()"))


def _label(name: str, length: int = 255) -> Column[str]:
    return Column(name, String(length), nullable=False, server_default="")


def _day_columns() -> list[Column[Any]]:
    return [
        Column("metric_date", Date, nullable=False),
        Column("week_start_date", Date),
        Column("client_id", String(255), nullable=False),
        _label("subdomain"),
        _label("administrator"),
        _label("call_direction", 50),
        _label("source"),
        _label("call_type"),
    ]


DAILY = Table(
    "daily_summary_metrics",
    METADATA,
    _serial(),
    *_day_columns(),
    Column("total_calls", Integer),
    Column("converted_calls", Integer),
    Column("conversion_rate", Numeric),
    Column("total_duration_seconds", Integer),
    Column("avg_duration_seconds", Numeric),
    Column("total_overall_score", Numeric),
    Column("scored_calls_count", Integer),
    Column("fg_percent", Numeric),
    Column("total_processing_speed_minutes", Numeric),
    Column("calls_with_processing_speed_count", Integer),
    Column("avg_processing_speed_minutes", Numeric),
    _created_at(),
    UniqueConstraint(*_DAY_KEY, name="uq_daily_summary_metrics"),
    Index("ix_daily_summary_metrics_date", "metric_date"),
    Index("ix_daily_summary_metrics_client", "client_id"),
    Index("ix_daily_summary_metrics_type", "call_type"),
)

CRITERIA = Table(
    "call_criteria_metrics",
    METADATA,
    _serial(),
    *_day_columns(),
    Column("criterion_name", String(255), nullable=False),
    Column("total_score", Numeric),
    Column("scored_calls_count", Integer),
    Column("avg_score", Numeric),
    _created_at(),
    UniqueConstraint(*_DAY_KEY, "criterion_name", name="uq_call_criteria_metrics"),
    Index("ix_call_criteria_metrics_date", "metric_date"),
    Index("ix_call_criteria_metrics_client", "client_id"),
    Index("ix_call_criteria_metrics_type", "call_type"),
    Index("ix_call_criteria_metrics_criterion", "criterion_name"),
)

DETAILS = Table(
    "call_details",
    METADATA,
    Column("call_mongo_id", Text, primary_key=True),
    Column("metric_date", Date),
    Column("administrator", Text),
    Column("transcript_url", Text),
    Column("recording_url", Text),
    Column("recommendations_text", Text),
    Column("client_id", Text),
    Column("subdomain", Text),
    Column("call_id", Text),
    Column("call_type", Text),
    Column("is_effective", Boolean),
    Column("matched_criteria", Text),
    Index("ix_call_details_client_date", "client_id", "metric_date"),
)

RECOMMENDATIONS = Table(
    "recommendation_analysis",
    METADATA,
    _serial(),
    Column("client_id", String(255), nullable=False),
    Column("start_date", Date),
    Column("end_date", Date, nullable=False),
    Column("period_type", String(20), nullable=False, server_default="weekly"),
    Column("summary_points", ARRAY(Text)),
    Column("overall_summary", Text),
    _created_at(),
    UniqueConstraint(
        "client_id", "start_date", "end_date", "period_type", name="uq_recommendation_analysis"
    ),
)

FUNNEL = Table(
    "call_funnel_metrics",
    METADATA,
    _serial(),
    *_day_columns(),
    Column("total_calls", Integer, nullable=False),
    Column("talk_calls", Integer, nullable=False),
    Column("transcribed_calls", Integer, nullable=False),
    Column("scored_calls", Integer, nullable=False),
    Column("booked_calls", Integer, nullable=False),
    _created_at(),
    UniqueConstraint(*_DAY_KEY, name="uq_call_funnel_metrics"),
    Index("ix_call_funnel_metrics_client", "client_id", "metric_date"),
)

QUOTA = Table(
    "minute_quota_metrics",
    METADATA,
    _serial(),
    Column("client_id", String(255), nullable=False),
    Column("clinic_name", Text, nullable=False),
    Column("period_type", String(20), nullable=False),
    Column("period_start", Date, nullable=False),
    Column("period_end", Date, nullable=False),
    Column("used_seconds", BigInteger, nullable=False),
    Column("limit_seconds", BigInteger, nullable=False),
    _created_at(),
    UniqueConstraint(
        "client_id", "period_type", "period_start", name="uq_minute_quota_metrics"
    ),
)  # fmt: skip

BOARDS = (
    "board_clinics",
    "board_administrators_weekly",
    "board_funnel",
    "board_funnel_stages",
    "board_criteria_heatmap",
    "board_quota",
)
"""Views for common boards; migrations make them, docs/datalens.md explains them."""

DAY_TABLES = (DAILY, CRITERIA, DETAILS, FUNNEL)
"""Tables whose rows belong to a day of a clinic and are replaced with it."""


def key_columns(table: Table) -> tuple[str, ...]:
    """The columns that identify a row for the exporter: the unique key, else the primary key."""
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            return tuple(column.name for column in constraint.columns)
    return tuple(column.name for column in table.primary_key.columns)


def is_of_day(table: Table) -> bool:
    """Whether a row stays on its day; one of `call_details` moves when its call does."""
    return "metric_date" in key_columns(table)


def written_columns(table: Table) -> tuple[str, ...]:
    """The columns the exporter writes: all but those the database fills."""
    return tuple(c.name for c in table.columns if c.name not in {"id", "created_at"})
