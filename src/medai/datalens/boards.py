# ruff: noqa: S608 - names of our own, no values
"""Views for common boards and words for the people who build them (docs/datalens.md).

They are made from this text after every upgrade: no migration holds them.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, ProgrammingError

from medai.datalens.catalog import relation_kind
from medai.datalens.refusals import refusal
from medai.datalens.tables import BOARDS, SCHEMA
from medai.errors import StoreError

_WEEK = "date_trunc('week', metric_date)::date"
_NAME = "coalesce(clinic.clinic_name, nullif(m.subdomain, ''), m.client_id)"
_QUERIES: Final = {
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
_TABLES: Final = {
    "daily_summary_metrics": "Показатели оценённых звонков по дням и меткам",
    "call_criteria_metrics": "Оценки по критериям по дням и меткам",
    "call_details": "Оценённые звонки со ссылками на расшифровку и запись",
    "recommendation_analysis": "Выводы и рекомендации за неделю или месяц",
    "call_funnel_metrics": "Воронка всех звонков по дням и меткам",
    "minute_quota_metrics": "Минуты распознавания клиник по месяцам и неделям",
}
_DESCRIPTIONS: Final = {
    "board_clinics": "Названия клиник",
    "board_administrators_weekly": "Администраторы по неделям",
    "board_funnel": "Воронка: от звонка до записи, по дням",
    "board_funnel_stages": "Воронка по ступеням: строка на каждую ступень",
    "board_criteria_heatmap": "Критерии по неделям и администраторам",
    "board_quota": "Минуты: использовано и лимит",
}
_COLUMNS: Final = {
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
_TRIAL: Final = "medai_trial"
_DEFINITION = "SELECT pg_get_viewdef(to_regclass(%s))"


def differing(connection: Connection) -> list[str]:
    """Views that are missing or are not what this text says. Changes nothing that lasts.

    PostgreSQL keeps a view as a tree: it is compared with the same text, read now.
    """
    return [board for board in BOARDS if not _is_made(connection, board)]


def make(connection: Connection, boards: Sequence[str]) -> None:
    """Make the views anew, in the order of `BOARDS`. Raises StoreError that names the one which
    something of somebody else's stands on."""
    try:
        _replace(connection, boards)
    except DBAPIError:
        # Other columns than ours: only a view that nobody else reads can be made from nothing.
        for board in reversed(boards):
            _drop(connection, board)
        _replace(connection, boards)


def describe(connection: Connection, boards: Sequence[str]) -> None:
    """Words for the tables, and for the views with their columns."""
    for table, text in _TABLES.items():
        connection.exec_driver_sql(f"COMMENT ON TABLE {SCHEMA}.{table} IS '{text}'")
    for board in boards:
        view = f"{SCHEMA}.{board}"
        connection.exec_driver_sql(f"COMMENT ON VIEW {view} IS '{_DESCRIPTIONS[board]}'")
        names = connection.exec_driver_sql(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0",
            (view,),
        )
        for name in names.scalars():
            text = _COLUMNS[name].replace("%", "%%")
            connection.exec_driver_sql(f"COMMENT ON COLUMN {view}.{name} IS '{text}'")


def _is_made(connection: Connection, board: str) -> bool:
    found = connection.exec_driver_sql(_DEFINITION, (f"{SCHEMA}.{board}",)).scalar()
    if found is None:
        return False
    trial = connection.begin_nested()
    try:
        connection.exec_driver_sql(f"CREATE TEMP VIEW {_TRIAL} AS {_QUERIES[board]}")
        wanted = connection.exec_driver_sql(_DEFINITION, (f"pg_temp.{_TRIAL}",)).scalar()
    except ProgrammingError:
        return False  # what it reads is missing
    finally:
        trial.rollback()
    return bool(found == wanted)


def _replace(connection: Connection, boards: Sequence[str]) -> None:
    with connection.begin_nested():
        for board in boards:
            connection.exec_driver_sql(
                f"CREATE OR REPLACE VIEW {SCHEMA}.{board} AS {_QUERIES[board]}"
            )


def _drop(connection: Connection, board: str) -> None:
    view = f"{SCHEMA}.{board}"
    if relation_kind(connection, view) not in (None, "v"):
        raise StoreError(
            f"На месте представления DataLens {board} стоит таблица или другой объект:"
            " переименуйте его и повторите medai db upgrade"
        )
    try:
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {view}")
    except DBAPIError as error:
        raise refusal(error, view) from error
