"""Recommendations of a report: per administrator with links, and those common to many."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from medai.calls.models import Analysis, Call
from medai.kit.text import clean
from medai.metrics.details import CallLinks
from medai.reports import format_ru as ru
from medai.reports.models import AdministratorAdvice, CallAdvice, CommonAdvice

_MAX_URL_LENGTH = 2000
"""Excel refuses longer links (2,079) and a browser's address line gains nothing from them."""


def web_address(url: str | None) -> str | None:
    """The address when a reader may safely click it: http or https with a host, else None.

    PDF and Excel follow any scheme, so `javascript:`, `file:` and the like end here
    (reports-and-ui.md 1).
    """
    if not url or len(url) > _MAX_URL_LENGTH or clean(url) != url or re.search(r"\s", url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None


def advice_by_administrator(
    calls: Iterable[Call],
    links: CallLinks,
    zone_of: Callable[[Call], ZoneInfo],
    clinic_of: Callable[[Call], str],
) -> tuple[AdministratorAdvice, ...]:
    """Calls with recommendations, grouped by administrator in alphabetical order, oldest first."""
    found: defaultdict[tuple[str, str], list[CallAdvice]] = defaultdict(list)
    for call in calls:
        if call.analysis and call.analysis.recommendations:
            advice = _call_advice(call, call.analysis, links, zone_of(call))
            found[call.administrator, clinic_of(call)].append(advice)
    return tuple(
        AdministratorAdvice(
            name, clinic, tuple(sorted(advised, key=lambda one: (one.at, one.call_id)))
        )
        for (name, clinic), advised in sorted(
            found.items(), key=lambda item: ru.alphabetical(*item[0])
        )
    )


def _call_advice(call: Call, analysis: Analysis, links: CallLinks, tz: ZoneInfo) -> CallAdvice:
    return CallAdvice(
        call_id=call.id,
        at=call.started_at.astimezone(tz),
        call_type=analysis.call_type,
        direction=call.direction.label,
        seconds=call.duration_seconds,
        overall=analysis.overall,
        converted=call.converted,
        transcript_url=web_address(links.transcript_url(call)),
        recording_url=web_address(links.recording_url(call)),
        texts=tuple(text.strip() for text in analysis.recommendations if text.strip()),
    )


def common_advice(advice: Iterable[AdministratorAdvice]) -> tuple[CommonAdvice, ...]:
    """Texts given to at least two administrators, or all if there is only one (contract 8.2).

    Texts that differ only in case, spaces or the final stop are one; the commonest spelling is
    shown. Most administrators first.
    """
    people = list(advice)
    spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
    given_to: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for person in people:
        for text in (text for call in person.calls for text in call.texts):
            spellings[_same(text)][text] += 1
            given_to[_same(text)].add((person.name, person.clinic))
    needed = min(2, len(people))
    found = (
        CommonAdvice(_commonest(spellings[key]), len(to), spellings[key].total())
        for key, to in given_to.items()
        if len(to) >= needed
    )
    return tuple(sorted(found, key=lambda one: (-one.administrators, -one.calls, one.text)))


def _same(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".!; ")


def _commonest(spellings: Counter[str]) -> str:
    return min(spellings, key=lambda text: (-spellings[text], text))
