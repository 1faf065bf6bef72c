"""What keeps a clinic's calls from being worked on, told once when it begins and once when it ends.

Pure: what troubles there are is read off stops and minutes; what is told is compared with what is
stored.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from medai.clinics.models import Clinic
from medai.clinics.zones import shown_zone
from medai.kit.ids import stable_id
from medai.kit.model import Frozen
from medai.limits import warnings

TOLD_PERCENT = (80, 100)
SETTLED = timedelta(minutes=5)
"""A trouble that is back sooner has not ended: a provider that comes and goes is told of once."""
TOLD_AFTER_END = timedelta(days=1)


class TroubleKind(StrEnum):
    """What it is about."""

    CRM = "crm"
    SPEECH = "speech"
    MODEL = "model"
    QUOTA = "quota"


class Trouble(Frozen):
    """One occurrence. `place` is where at most one stands at a time; `client_id` None: all clinics.

    `message` is the provider's refusal as a Russian line; `period` and `percent` belong to quotas.
    `gone_at`: not seen since then; `over_at`: believed to have ended.
    """

    id: str
    place: str
    kind: TroubleKind
    client_id: str | None
    clinic_name: str = ""
    message: str = ""
    period: str = ""
    percent: int = 0
    since: datetime
    gone_at: datetime | None = None
    over_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What has to be written: occurrences that began, and those whose end came nearer."""

    begun: tuple[Trouble, ...]
    changed: tuple[Trouble, ...]


def trouble(
    kind: TroubleKind, place: str, since: datetime, client_id: str | None, **facts: object
) -> Trouble:
    """An occurrence with its stable id."""
    fields = {"kind": kind, "place": place, "since": since, "client_id": client_id, **facts}
    return Trouble.model_validate({"id": stable_id("trouble", place, since.isoformat()), **fields})


def quota_troubles(clinic: Clinic, now: datetime) -> list[Trouble]:
    """The highest share of each period that was warned of and still holds."""
    present = warnings.present(clinic.limits, now, shown_zone(clinic))
    told = [each for each in present if each.percent in TOLD_PERCENT]
    highest = {each.period: each for each in sorted(told, key=lambda each: each.percent)}
    return [
        trouble(
            TroubleKind.QUOTA,
            f"quota:{clinic.client_id}:{each.period}:{each.key}:{each.percent}",
            each.at,
            clinic.client_id,
            clinic_name=clinic.name,
            period=each.period,
            percent=each.percent,
        )
        for each in highest.values()
    ]


def compared(known: Sequence[Trouble], present: Iterable[Trouble], now: datetime) -> Changes:
    """What changed between the stored occurrences that are not over and what is there now."""
    there = {each.place: each for each in present}
    standing = {each.place for each in known}
    begun = tuple(each for place, each in there.items() if place not in standing)
    moved = (_moved(each, now, is_there=each.place in there) for each in known)
    return Changes(begun, tuple(new for new, old in zip(moved, known, strict=True) if new != old))


def _moved(one: Trouble, now: datetime, *, is_there: bool) -> Trouble:
    if is_there:
        return one.model_copy(update={"gone_at": None})
    gone = one.gone_at or now
    over = now if now - gone >= SETTLED else None
    return one.model_copy(update={"gone_at": gone, "over_at": over})


def is_worse_quota(one: Trouble, others: Iterable[Trouble]) -> bool:
    """Whether a higher share of the same period took this one's place: then nothing ended."""
    period = one.place.rpartition(":")[0]
    return one.kind is TroubleKind.QUOTA and any(
        other.kind is TroubleKind.QUOTA
        and other.place.rpartition(":")[0] == period
        and other.percent > one.percent
        for other in others
    )
