"""Who took the call: the domain rules fed with schedule, transcript and CRM (contract 4.7)."""

from medai.analysis.service import AnalysisService
from medai.calls.models import UNKNOWN_ADMINISTRATOR, Call
from medai.clinics.models import Clinic
from medai.staff.attribution import NameGuess, by_schedule, needs_guess
from medai.staff.models import Shift
from medai.staff.repository import StaffRepository
from medai.transcription.models import Transcript


class Attributor:
    """Decides the administrator of a transcribed call."""

    def __init__(self, staff: StaffRepository, analysis: AnalysisService) -> None:
        self._staff = staff
        self._analysis = analysis

    async def fields(self, clinic: Clinic, call: Call, transcript: Transcript) -> dict[str, object]:
        """The fields to set on the call; empty in clinics that trust the CRM's own value.

        Raises the ProviderError family when the model has to be asked and cannot answer.
        """
        if clinic.admin_detection_method == "amocrm":
            return {}
        shifts = await self._staff.shifts_of(clinic.client_id, call.business_day)
        guess = await self._guess(shifts, transcript) if needs_guess(shifts) else None
        found = by_schedule(shifts, guess, call.crm_administrator)
        return {
            "administrator": found.name or UNKNOWN_ADMINISTRATOR,
            "administrator_confidence": found.confidence,
        }

    async def _guess(self, shifts: list[Shift], transcript: Transcript) -> NameGuess | None:
        candidates = [(shift.first_name, shift.last_name) for shift in shifts]
        found = await self._analysis.choose_administrator(transcript, candidates)
        if found is None:
            return None
        return NameGuess(found.first_name, found.last_name, found.confidence)
