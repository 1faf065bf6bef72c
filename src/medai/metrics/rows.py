"""Rows of the DataLens tables, without what the database adds (`id`, `created_at`).

Columns and formulas: contract 3. Numbers that are NUMERIC in the database are `Decimal`, because
sums of binary floats depend on the order of calls and would make unchanged rows look changed.
Label columns are never NULL: an unknown label is the empty text.

Tuples in the order of their tables' columns: a year has a hundred thousand of them, and COPY takes
them as they are.
"""

from datetime import date
from decimal import Decimal
from typing import NamedTuple


class DailyRow(NamedTuple):
    """daily_summary_metrics: calls of one day under one combination of labels.

    Durations are seconds, speeds minutes, `conversion_rate` a fraction 0-1, `fg_percent` 0-100.
    """

    metric_date: date
    week_start_date: date
    client_id: str
    subdomain: str
    administrator: str
    call_direction: str
    source: str
    call_type: str
    total_calls: int
    converted_calls: int
    conversion_rate: Decimal
    total_duration_seconds: int
    avg_duration_seconds: Decimal
    total_overall_score: Decimal
    scored_calls_count: int
    fg_percent: Decimal | None
    total_processing_speed_minutes: Decimal
    calls_with_processing_speed_count: int
    avg_processing_speed_minutes: Decimal | None


class CriterionRow(NamedTuple):
    """call_criteria_metrics: one criterion's scores (0-10) under one combination of labels.

    `criterion_name` is the display name of contract 3, for example "Приветствие".
    """

    metric_date: date
    week_start_date: date
    client_id: str
    subdomain: str
    administrator: str
    call_direction: str
    source: str
    call_type: str
    criterion_name: str
    total_score: Decimal
    scored_calls_count: int
    avg_score: Decimal


class DetailRow(NamedTuple):
    """call_details: one analysed call. `matched_criteria` is joined by commas."""

    call_mongo_id: str
    metric_date: date
    administrator: str
    transcript_url: str
    recording_url: str
    recommendations_text: str
    client_id: str
    subdomain: str
    call_id: str | None
    call_type: str
    is_effective: bool | None
    matched_criteria: str


class FunnelRow(NamedTuple):
    """call_funnel_metrics: how far the calls of a day came; each count holds the next ones.

    `total_calls` are those of the CRM without repetitions, `talk_calls` those worth a transcript,
    `scored_calls` those with an analysis, of any type; `call_type` is "" for all others.
    `booked_calls` are scored ones that ended in a booking.
    """

    metric_date: date
    week_start_date: date
    client_id: str
    subdomain: str
    administrator: str
    call_direction: str
    source: str
    call_type: str
    total_calls: int
    talk_calls: int
    transcribed_calls: int
    scored_calls: int
    booked_calls: int


class QuotaRow(NamedTuple):
    """minute_quota_metrics: a month or week of a clinic's zone. Amounts are seconds.

    `period_type` is "month" or "week", `period_end` its last day.
    """

    client_id: str
    clinic_name: str
    period_type: str
    period_start: date
    period_end: date
    used_seconds: int
    limit_seconds: int


class RecommendationRow(NamedTuple):
    """recommendation_analysis: the conclusions of one week or month of a clinic.

    `period_type` is "weekly" or "monthly"; `overall_summary` is markdown.
    """

    client_id: str
    start_date: date
    end_date: date
    period_type: str
    summary_points: tuple[str, ...]
    overall_summary: str
