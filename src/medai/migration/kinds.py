"""The collections that are upgraded, in order: clinics first, because the others name them."""

from medai.analysis.recommendations.repository import CONCLUSIONS
from medai.calls.repository import CALLS
from medai.clinics.repository import CLINICS
from medai.crm.tokens import TOKENS
from medai.migration import calls, clinics, conclusions, people
from medai.migration.models import Kind
from medai.staff.repository import ADMINISTRATORS, SHIFTS

CLINIC_KIND = Kind(
    CLINICS,
    title="Клиники",
    mark="revision",
    convert=clinics.clinic,
    key_of=clinics.key_of,
    key_fields=("client_id",),
    merge=clinics.joined,
    secrets=clinics.SECRETS,
)
KINDS = (
    CLINIC_KIND,
    Kind(
        TOKENS,
        title="Токены amoCRM",
        mark="expires_at",
        convert=people.token,
        key_of=clinics.key_of,
        key_fields=("client_id",),
        secrets=people.TOKEN_SECRETS,
    ),
    Kind(
        ADMINISTRATORS,
        title="Администраторы",
        mark="client_id",
        convert=people.administrator,
        key_of=people.administrator_key,
        key_fields=("clinic_id", "amocrm_user_id"),
    ),
    Kind(
        SHIFTS,
        title="График работы",
        mark="day",
        convert=people.shift,
        key_of=people.shift_key,
        key_fields=("clinic_id", "date", "first_name", "last_name"),
    ),
    Kind(
        CONCLUSIONS,
        title="Выводы за периоды",
        mark="score_counts",
        convert=conclusions.conclusions,
        key_of=conclusions.key_of,
        key_fields=("client_id", "start_date", "end_date", "period_type"),
    ),
    Kind(
        CALLS,
        title="Звонки",
        mark="stage",
        convert=calls.call,
        key_of=calls.key_of,
        key_fields=("client_id", "note_id", "event_id"),
        merge=calls.joined,
    ),
)
LEFT_ALONE = (
    "transcriptions", "call_status", "call_analysis", "call_analytics", "call_metrics",
    "call_records", "call_reports", "reports", "call_exports", "recommendation_analysis",
    "system_settings",
)  # fmt: skip
"""Of the old system, read by nobody (contract 2.2): they stay as they are."""
