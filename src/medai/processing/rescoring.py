"""A booking that became known after the analysis: only the CRM's own criterion changes."""

from medai.analysis.service import AnalysisService
from medai.calls.repository import CallRepository
from medai.clinics.repository import ClinicRepository


class BookingRescore:
    """Brings the booking score of an analysed call in line with the CRM, without the model."""

    def __init__(
        self, calls: CallRepository, clinics: ClinicRepository, analysis: AnalysisService
    ) -> None:
        self._calls = calls
        self._clinics = clinics
        self._analysis = analysis

    async def apply(self, call_id: str) -> None:
        """Recompute the booking criterion and the overall score. Raises StoreError."""
        call = await self._calls.get(call_id)
        if call is None or call.analysis is None:
            return
        clinic = await self._clinics.require(call.client_id)
        changed = await self._analysis.rebook(
            call, count_not_applicable_as_zero=clinic.count_not_applicable_as_zero
        )
        if changed is not None:
            summary = self._analysis.summary(changed)
            await self._calls.change(call.id, {"analysis": summary.model_dump()})
