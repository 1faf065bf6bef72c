# ruff: noqa: S608 - names of our own, no values
"""Two tables the replaced system did not have, and views for common boards (docs/datalens.md)."""

from alembic import op

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
_INDEX = """CREATE INDEX IF NOT EXISTS ix_call_funnel_metrics_client
    ON public.call_funnel_metrics (client_id, metric_date)"""
_WEEK = "date_trunc('week', metric_date)::date"
_NAME = "coalesce(clinic.clinic_name, nullif(m.subdomain, ''), m.client_id)"
_VIEWS = {
    "board_clinics": """
        SELECT DISTINCT ON (client_id) client_id, clinic_name
        FROM public.minute_quota_metrics ORDER BY client_id, period_start DESC, id DESC""",
    "board_administrators_weekly": f"""
        SELECT m.client_id, {_NAME} AS clinic_name, {_WEEK} AS week_start_date, m.administrator,
            sum(m.total_calls) AS total_calls,
            sum(m.converted_calls) AS converted_calls,
            sum(m.converted_calls)::numeric / nullif(sum(m.total_calls), 0) AS conversion_rate,
            round(sum(m.total_duration_seconds) / 60.0, 1) AS total_duration_minutes,
            sum(m.total_duration_seconds)::numeric / nullif(sum(m.total_calls), 0)
                AS avg_duration_seconds,
            sum(m.scored_calls_count) AS scored_calls_count,
            sum(m.total_overall_score) / nullif(sum(m.scored_calls_count), 0) * 10 AS fg_percent,
            sum(m.total_processing_speed_minutes)
                / nullif(sum(m.calls_with_processing_speed_count), 0)
                AS avg_processing_speed_minutes
        FROM public.daily_summary_metrics AS m
        LEFT JOIN public.board_clinics AS clinic USING (client_id)
        GROUP BY 1, 2, 3, 4""",
    "board_funnel": f"""
        SELECT m.client_id, {_NAME} AS clinic_name, m.metric_date, {_WEEK} AS week_start_date,
            date_trunc('month', m.metric_date)::date AS month_start_date, m.administrator,
            m.call_direction, m.source,
            CASE m.call_type WHEN '' THEN 'не оценён' ELSE m.call_type END AS call_type,
            m.total_calls, m.talk_calls, m.transcribed_calls, m.scored_calls, m.booked_calls
        FROM public.call_funnel_metrics AS m
        LEFT JOIN public.board_clinics AS clinic USING (client_id)""",
    "board_funnel_stages": """
        SELECT f.client_id, f.clinic_name, f.metric_date, f.week_start_date, f.month_start_date,
            f.administrator, f.call_direction, f.source, f.call_type,
            stage.stage_order, stage.stage_name, stage.calls
        FROM public.board_funnel AS f
        CROSS JOIN LATERAL (VALUES
            (1, 'Звонки', f.total_calls), (2, 'Разговоры', f.talk_calls),
            (3, 'Расшифрованы', f.transcribed_calls), (4, 'Оценены', f.scored_calls),
            (5, 'Запись', f.booked_calls)) AS stage (stage_order, stage_name, calls)""",
    "board_criteria_heatmap": f"""
        SELECT m.client_id, {_NAME} AS clinic_name, {_WEEK} AS week_start_date, m.administrator,
            m.call_type, m.criterion_name,
            sum(m.total_score) AS total_score,
            sum(m.scored_calls_count) AS scored_calls_count,
            sum(m.total_score) / nullif(sum(m.scored_calls_count), 0) AS avg_score
        FROM public.call_criteria_metrics AS m
        LEFT JOIN public.board_clinics AS clinic USING (client_id)
        GROUP BY 1, 2, 3, 4, 5, 6""",
    "board_quota": """
        SELECT client_id, clinic_name, period_type, period_start, period_end,
            round(used_seconds / 60.0, 1) AS used_minutes,
            round(limit_seconds / 60.0, 1) AS limit_minutes,
            round(greatest(limit_seconds - used_seconds, 0) / 60.0, 1) AS left_minutes,
            round(used_seconds * 100.0 / nullif(limit_seconds, 0), 1) AS used_percent
        FROM public.minute_quota_metrics""",
}
_KIND = {
    "daily_summary_metrics": "Показатели оценённых звонков по дням и меткам",
    "call_criteria_metrics": "Оценки по критериям по дням и меткам",
    "call_details": "Оценённые звонки со ссылками на расшифровку и запись",
    "recommendation_analysis": "Выводы и рекомендации за неделю или месяц",
    "call_funnel_metrics": "Воронка всех звонков по дням и меткам",
    "minute_quota_metrics": "Минуты распознавания клиник по месяцам и неделям",
}
_BOARDS = {
    "board_clinics": "Названия клиник",
    "board_administrators_weekly": "Администраторы по неделям",
    "board_funnel": "Воронка: от звонка до записи, по дням",
    "board_funnel_stages": "Воронка по ступеням: строка на каждую ступень",
    "board_criteria_heatmap": "Критерии по неделям и администраторам",
    "board_quota": "Минуты: использовано и лимит",
}
_COLUMNS = {
    "client_id": "ID клиники (интеграции amoCRM)",
    "clinic_name": "Клиника",
    "metric_date": "День в часовом поясе клиники",
    "week_start_date": "Понедельник недели",
    "month_start_date": "Первое число месяца",
    "administrator": "Администратор",
    "call_direction": "Направление звонка",
    "source": "Источник",
    "call_type": "Тип звонка",
    "criterion_name": "Критерий",
    "total_calls": "Звонков",
    "converted_calls": "Звонков с записью",
    "conversion_rate": "Конверсия, доля от 0 до 1",
    "total_duration_minutes": "Длительность всех звонков, минут",
    "avg_duration_seconds": "Средняя длительность, секунд",
    "scored_calls_count": "Звонков с оценкой",
    "fg_percent": "FG, % (средняя оценка от 0 до 100)",
    "avg_processing_speed_minutes": "Скорость обработки, минут в среднем",
    "talk_calls": "Разговоры: не сброшенные и не слишком короткие",
    "transcribed_calls": "Расшифрованных звонков",
    "scored_calls": "Оценённых звонков",
    "booked_calls": "Оценённых звонков с записью",
    "stage_order": "Номер ступени",
    "stage_name": "Ступень воронки",
    "calls": "Звонков на ступени",
    "total_score": "Сумма баллов",
    "avg_score": "Средний балл, от 0 до 10",
    "period_type": "month — месяц, week — неделя",
    "period_start": "Первый день периода",
    "period_end": "Последний день периода",
    "used_minutes": "Использовано минут",
    "limit_minutes": "Лимит минут",
    "left_minutes": "Осталось минут",
    "used_percent": "Использовано, % лимита",
}


def upgrade() -> None:
    """Make the tables and the views, with words for the people who build boards."""
    for table, columns in _TABLES.items():
        op.execute(f"CREATE TABLE IF NOT EXISTS public.{table} ({columns})")
    op.execute(_INDEX)
    for view, query in _VIEWS.items():
        op.execute(f"CREATE OR REPLACE VIEW public.{view} AS {query}")
    for table, text in _KIND.items():
        op.execute(f"COMMENT ON TABLE public.{table} IS '{text}'")
    for view, text in _BOARDS.items():
        op.execute(f"COMMENT ON VIEW public.{view} IS '{text}'")
        names = op.get_bind().exec_driver_sql(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0",
            (f"public.{view}",),
        )
        for name in names.scalars():
            op.execute(f"COMMENT ON COLUMN public.{view}.{name} IS '{_COLUMNS[name]}'")


def downgrade() -> None:
    """Drop the views and the tables that hold nothing."""
    for view in reversed(_VIEWS):
        op.execute(f"DROP VIEW public.{view}")
    for table in _TABLES:
        rows = op.get_bind().exec_driver_sql(f"SELECT 1 FROM public.{table} LIMIT 1")
        if rows.first() is None:
            op.execute(f"DROP TABLE public.{table}")
