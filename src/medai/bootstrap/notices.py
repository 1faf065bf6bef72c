"""Wiring of what people are told without asking."""

from medai.analysis.repository import AnalysisRepository
from medai.bootstrap.ground import Ground
from medai.errors import SettingsError
from medai.members.repository import Members
from medai.processing.digests.deliveries import Deliveries
from medai.processing.digests.mornings import Mornings
from medai.processing.digests.nights import Nights
from medai.processing.digests.patients import PatientAlerts
from medai.processing.digests.people import Recipients
from medai.processing.digests.readings import ClinicReader
from medai.processing.digests.service import Digests
from medai.processing.digests.troubles import Troubles
from medai.processing.stops import Stops
from medai.reports.service import ReportService
from medai.settings import Settings


def digests(ground: Ground, members: Members, reports: ReportService, stops: Stops) -> Digests:
    """The service behind digests and alerts. Raises SettingsError for a chat that is no number."""
    documents, clinics, calls, clock = (
        ground.stores.documents, ground.clinics, ground.calls, ground.clock,
    )  # fmt: skip
    analyses, deliveries = AnalysisRepository(documents), Deliveries(documents, clock)
    keeper_chat = _keeper_chat(ground.settings)
    return Digests(
        mornings=Mornings(
            clinics=clinics,
            people=members,
            reader=ClinicReader(calls, analyses, reports, clock),
            runs=ground.runs,
            deliveries=deliveries,
            clock=clock,
            hour=ground.settings.medai_digest_hour,
        ),
        patients=PatientAlerts(
            documents=documents,
            clinics=clinics,
            calls=calls,
            analyses=analyses,
            people=members,
            deliveries=deliveries,
            clock=clock,
        ),
        troubles=Troubles(
            documents=documents,
            clinics=clinics,
            stops=stops,
            people=members,
            deliveries=deliveries,
            clock=clock,
            keeper_chat=keeper_chat,
        ),
        nights=Nights(
            clinics=clinics,
            calls=calls,
            runs=ground.runs,
            deliveries=deliveries,
            clock=clock,
            keeper_chat=keeper_chat,
        ),
        deliveries=deliveries,
        recipients=Recipients(members, keeper_chat),
    )


def _keeper_chat(settings: Settings) -> int | None:
    text = settings.telegram_admin_chat_id.strip()
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise SettingsError(
            "TELEGRAM_ADMIN_CHAT_ID должен быть числом: номером чата, для группы с минусом"
        ) from None
