"""Where a call happened and where its transcript opens."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from medai.calls.models import Call
from medai.metrics.details import CallLinks
from medai.reports.advice import web_address
from medai.reports.models import ReportClinic


class Places:
    """A call's zone is its clinic's; the clinic's name is told when there are several."""

    def __init__(self, clinics: Sequence[ReportClinic], links: CallLinks) -> None:
        self._known = {clinic.client_id: clinic for clinic in clinics}
        self._default = clinics[0].zone
        self._several = len(self._known) > 1
        self._links = links

    def zone(self, call: Call) -> ZoneInfo:
        """The clinic's zone, the first clinic's for a call of an unlisted one."""
        clinic = self._known.get(call.client_id)
        return clinic.zone if clinic else self._default

    def label(self, call: Call) -> str:
        """The clinic's name, empty in the report of one clinic."""
        if not self._several:
            return ""
        clinic = self._known.get(call.client_id)
        return clinic.name if clinic else "Другая клиника"

    def transcript_url(self, call: Call) -> str | None:
        """A web address, or None."""
        return web_address(self._links.transcript_url(call))
