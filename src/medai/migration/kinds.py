"""The collections that are upgraded, in order: clinics first, because the others name them."""

from medai.analysis.recommendations.repository import CONCLUSIONS
from medai.calls.repository import CALLS
from medai.clinics.repository import CLINICS
from medai.crm.tokens import TOKENS
from medai.migration import calls, clinics, conclusions, people
from medai.migration.models import Kind
from medai.staff.repository import ADMINISTRATORS, SHIFTS

CLINIC_KIND = Kind(CLINICS, "revision", clinics.clinic, "Клиники", clinics.joined, clinics.SECRETS)
CALL_KIND = Kind(CALLS, "stage", calls.call, "Звонки", calls.joined)
KINDS = (
    CLINIC_KIND,
    Kind(TOKENS, "expires_at", people.token, "Токены amoCRM", secrets=people.TOKEN_SECRETS),
    Kind(ADMINISTRATORS, "client_id", people.administrator, "Администраторы"),
    Kind(SHIFTS, "day", people.shift, "График работы"),
    Kind(CONCLUSIONS, "score_counts", conclusions.conclusions, "Выводы за периоды"),
    CALL_KIND,
)
LEFT_ALONE = (
    "transcriptions", "call_status", "call_analysis", "call_analytics", "call_metrics",
    "call_records", "call_reports", "reports", "call_exports", "recommendation_analysis",
    "system_settings",
)  # fmt: skip
"""Of the old system, read by nobody (contract 2.2): they stay as they are."""
