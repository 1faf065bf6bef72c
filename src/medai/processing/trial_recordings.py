"""A recording that somebody tries the service with (contract 1.3, test/transcribe-and-analyze)."""

from medai.calls.models import Direction
from medai.errors import InvalidInputError, RecordingError
from medai.kit.clock import Clock
from medai.processing.own_recordings import OwnRecording, OwnRecordings
from medai.processing.requests import WorkRequests
from medai.processing.single_analysis import SingleAnalysis, Waited
from medai.processing.stops import Stops

TRIAL_CLINIC = "Проверка записей"
_MEGABYTE = 1024 * 1024
_KIND = ".mp3"


class TrialRecordings:
    """Carries an uploaded recording through transcription and analysis.

    It belongs to a clinic of its own, "Проверка записей", made at first use: its minutes are
    counted and limited like everybody's, and no real clinic's figures or minutes are touched.
    """

    def __init__(
        self,
        own: OwnRecordings,
        requests: WorkRequests,
        analysis: SingleAnalysis,
        stops: Stops,
        clock: Clock,
        *,
        most_megabytes: int,
    ) -> None:
        self._own = own
        self._requests = requests
        self._analysis = analysis
        self._stops = stops
        self._clock = clock
        self._most_megabytes = most_megabytes

    async def tried(self, name: str, data: bytes) -> Waited:
        """The call behind the file, waited for as for any analysis; the same file is one call.

        Raises InvalidInputError for what is no mp3 or too large, StoreError.
        """
        self._check(name, data)
        clinic = await self._own.clinic(TRIAL_CLINIC)
        recording = OwnRecording(name, data, "", Direction.UNKNOWN, self._clock())
        try:
            call = await self._own.accept(clinic, recording)
        except RecordingError as error:
            raise InvalidInputError(error.message) from error
        if call.analysis is None:
            await self._stops.try_soon(clinic.client_id)
            await self._requests.retry(call)
        return await self._analysis.watched(call.id)

    def _check(self, name: str, data: bytes) -> None:
        if not name.lower().endswith(_KIND):
            raise InvalidInputError("Нужна запись в формате MP3: пришлите файл .mp3")
        if len(data) > self._most_megabytes * _MEGABYTE:
            raise InvalidInputError(f"Файл больше {self._most_megabytes} МБ: сожмите запись")
