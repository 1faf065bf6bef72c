"""Rows of call_details (contract 3)."""

from collections.abc import Iterable
from typing import Protocol

from medai.calls.models import Analysis, Call
from medai.metrics.efficiency import DEFAULT_EFFICIENCY, Efficiency, EfficiencySettings, efficiency
from medai.metrics.rows import DetailRow
from medai.metrics.selection import exported


class CallLinks(Protocol):
    """Web addresses that open a call's files for a person who holds the link."""

    def transcript_url(self, call: Call) -> str | None:
        """Where the transcript text is downloaded, None when there is none."""

    def recording_url(self, call: Call) -> str | None:
        """Where the recording is heard, None when there is none."""


def detail_rows(
    calls: Iterable[Call],
    links: CallLinks,
    settings: EfficiencySettings = DEFAULT_EFFICIENCY,
) -> list[DetailRow]:
    """One row per call that has both links, sorted by day and id."""
    rows = (detail_row(call, analysis, links, settings) for call, analysis in exported(calls))
    return sorted(filter(None, rows), key=lambda row: (row.metric_date, row.call_mongo_id))


def detail_row(
    call: Call,
    analysis: Analysis,
    links: CallLinks,
    settings: EfficiencySettings = DEFAULT_EFFICIENCY,
) -> DetailRow | None:
    """The row of a call that boards show; None when it lacks a link."""
    transcript, recording = links.transcript_url(call), links.recording_url(call)
    if not transcript or not recording:
        return None
    return _row(call, analysis, (transcript, recording), efficiency(analysis, settings))


def _row(call: Call, analysis: Analysis, urls: tuple[str, str], verdict: Efficiency) -> DetailRow:
    transcript, recording = urls
    return DetailRow(
        call_mongo_id=call.id,
        metric_date=call.business_day,
        administrator=call.administrator,
        transcript_url=transcript,
        recording_url=recording,
        recommendations_text="\n".join(analysis.recommendations),
        client_id=call.client_id,
        subdomain=call.subdomain,
        call_id=None,
        call_type=analysis.call_type,
        is_effective=verdict.is_effective,
        matched_criteria=", ".join(verdict.matched_criteria),
    )
