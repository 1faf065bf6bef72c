"""Links that open from DataLens, Excel, PDF and Telegram: signed and bound to one file."""

from datetime import UTC, datetime, time, timedelta
from typing import Protocol

from medai.calls.models import Call

LINK_LIFE_DAYS = 400
"""Rows and reports are read for a year; counted from the call's day, so that a link written
twice is the same text and an unchanged row stays unchanged."""
REPORT_LINK_LIFE = timedelta(days=30)
"""A report is opened soon after it was made, and can be made again at any time."""


class Signer(Protocol):
    """Signs paths."""

    def sign(self, path: str, *, expires_at: datetime) -> str:
        """The query text that proves the path until the moment."""


class SignedLinks:
    """Public addresses of a call's files and of reports."""

    def __init__(self, api_base_url: str, signer: Signer) -> None:
        self._base = api_base_url.rstrip("/")
        self._signer = signer

    def transcript_url(self, call: Call) -> str:
        """The transcript's text file; empty without a transcript."""
        return self.file_url(call, call.transcript.filename) if call.transcript else ""

    def recording_url(self, call: Call) -> str:
        """Our copy of the recording, which outlives the PBX's own link.

        Calls of the replaced system whose recordings were not brought in have the PBX's; others
        without a recording have none.
        """
        if call.audio:
            return self.audio_url(call)
        return _web_address(call.recording_url) if call.transcript else ""

    def file_url(self, call: Call, filename: str) -> str:
        """Where the transcript of this name is, or will be."""
        return self._signed(f"/transcriptions/{filename}/download", call)

    def audio_url(self, call: Call) -> str:
        """Where our copy of the recording is, or will be."""
        return self._signed(f"/calls/download/{call.id}", call)

    def analysis_url(self, call: Call, filename: str) -> str:
        """The analysis as a text file."""
        return self._signed(f"/analysis/{filename}/download", call)

    def report_url(self, filename: str, made_at: datetime) -> str:
        """A report by its file name. `made_at` is aware."""
        return self._until(f"/call/reports/{filename}/download", made_at + REPORT_LINK_LIFE)

    def _signed(self, path: str, call: Call) -> str:
        day = datetime.combine(call.business_day, time.min, UTC)
        return self._until(path, day + timedelta(days=LINK_LIFE_DAYS))

    def _until(self, path: str, expires_at: datetime) -> str:
        query = self._signer.sign(path, expires_at=expires_at)
        return f"{self._base}{path}?{query}"


def _web_address(url: str | None) -> str:
    """The address if a browser opens it as a page or file; whatever else the CRM holds is none."""
    return url if url and url.lower().startswith(("https://", "http://")) else ""
