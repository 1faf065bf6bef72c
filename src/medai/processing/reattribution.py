"""Who took the call, decided again: after a schedule was corrected (contract 10.2)."""

from medai.calls.models import UNKNOWN_ADMINISTRATOR, Call
from medai.calls.repository import CallRepository
from medai.clinics.models import Clinic
from medai.clinics.repository import ClinicRepository
from medai.datalens.days import ExportDays
from medai.infra.documents import Not
from medai.kit.days import DayRange
from medai.processing.attribution import Attributor
from medai.transcription.service import TranscriptionService

_TRANSCRIBED = {"transcript": Not(None), "skip_reason": None}


class Reattribution:
    """Decides the administrators of transcribed calls anew and lets metrics follow."""

    def __init__(
        self,
        clinics: ClinicRepository,
        calls: CallRepository,
        transcription: TranscriptionService,
        attributor: Attributor,
        days: ExportDays,
    ) -> None:
        self._clinics = clinics
        self._calls = calls
        self._transcription = transcription
        self._attributor = attributor
        self._days = days

    async def concerns(self, clinic: Clinic, days: DayRange) -> bool:
        """Whether the schedule has decided about any call of the days. Raises StoreError."""
        if clinic.admin_detection_method != "ai_schedule":
            return False
        found = await self._calls.count_by("skip_reason", clinic.client_id, days, _TRANSCRIBED)
        return bool(found)

    async def repeat(
        self, client_id: str, days: DayRange, *, only_unknown: bool = False, dry_run: bool = False
    ) -> tuple[int, int]:
        """Returns (calls looked at, calls whose administrator is another one).

        `dry_run` stores nothing. Raises NotFoundError, the ProviderError family, StoreError.
        """
        clinic = await self._clinics.require(client_id)
        looked = changed = 0
        found = [call async for call in self._calls.of_days(client_id, days, where=_TRANSCRIBED)]
        for call in found:
            if only_unknown and call.administrator != UNKNOWN_ADMINISTRATOR:
                continue
            looked += 1
            transcript = await self._transcription.get(call.id)
            fields = await self._attributor.fields(clinic, call, transcript)
            if fields and fields["administrator"] != call.administrator:
                changed += 1
                if not dry_run:
                    await self._store(call, fields)
        return looked, changed

    async def _store(self, call: Call, fields: dict[str, object]) -> None:
        await self._calls.change(call.id, fields)
        await self._days.touch(call.client_id, call.business_day)
