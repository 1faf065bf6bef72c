"""How calls stand, without reading them: what decides about a call, shared by many of them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Protocol

from medai.calls.models import Failure, SkipReason, Stage, Step
from medai.infra.documents import GroupBy, Present


class Facts(Protocol):
    """What the rules about calls look at: a `Call` and a `Standing` both have it.

    Of a result only matters whether there is one.
    """

    @property
    def stage(self) -> Stage:
        """The last step that is done."""

    @property
    def skip_reason(self) -> SkipReason | None:
        """Why nothing is done with the call."""

    @property
    def origin(self) -> str:
        """Where the call is from: only a call of the CRM gets a note there."""

    @property
    def transcription_requested_at(self) -> datetime | None:
        """When a transcript was asked for last."""

    @property
    def analysis_requested_at(self) -> datetime | None:
        """When an analysis was asked for last."""

    @property
    def analysis_again_at(self) -> datetime | None:
        """When a newer analysis was asked for that is not there yet."""

    @property
    def cancelled_at(self) -> datetime | None:
        """When the wish was taken back."""

    @property
    def transcript(self) -> object | None:
        """Anything but None: it is there."""

    @property
    def crm_note(self) -> object | None:
        """Anything but None: it is there."""

    @property
    def analysis(self) -> object | None:
        """Anything but None: it is there."""

    @property
    def failures(self) -> Mapping[Step, Failure]:
        """The last failure of each step that is not done."""


@dataclass(frozen=True, slots=True)
class Standing:
    """`Facts` that some calls have in common. Calls have few of them: requests mark all their
    calls with one moment, and only failures are each call's own."""

    stage: Stage
    skip_reason: SkipReason | None
    origin: str
    transcription_requested_at: datetime | None
    analysis_requested_at: datetime | None
    analysis_again_at: datetime | None
    cancelled_at: datetime | None
    transcript: bool | None
    crm_note: bool | None
    analysis: bool | None
    failures: Mapping[Step, Failure]


_RESULTS = ("transcript", "crm_note", "analysis")
GROUPED_BY: GroupBy = tuple(
    Present(one.name) if one.name in _RESULTS else one.name for one in fields(Standing)
)
"""How the store groups calls by their standing: `standing_of` reads such a group."""


def standing_of(values: tuple[Any, ...]) -> Standing:
    """The standing behind the values of `GROUPED_BY`."""
    stage, skip_reason, *plain, transcript, crm_note, analysis, failures = values
    origin, transcription_requested_at, analysis_requested_at, again_at, cancelled_at = plain
    return Standing(
        stage=Stage(stage),
        skip_reason=SkipReason(skip_reason) if skip_reason else None,
        origin=origin,
        transcription_requested_at=transcription_requested_at,
        analysis_requested_at=analysis_requested_at,
        analysis_again_at=again_at,
        cancelled_at=cancelled_at,
        transcript=transcript or None,
        crm_note=crm_note or None,
        analysis=analysis or None,
        failures={Step(step): Failure(**one) for step, one in (failures or {}).items()},
    )
