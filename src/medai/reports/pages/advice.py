"""Recommendations per administrator, and those common to many."""

from collections.abc import Sequence

from medai.reports import format_ru as ru
from medai.reports.models import AdministratorAdvice, CallAdvice, CommonAdvice, ReportContent
from medai.reports.pages.parts import Part, label, score_tone, shown

MAX_CALLS = 2000
"""Typst needs 727 MB for 5,000 calls (reports-and-ui.md 1); the rest is in Excel."""
MAX_COMMON = 40
"""Two pages: with one administrator every text is common (contract 8.2)."""
_KEPT_TOGETHER = 1500
"""Letters that surely fit on one page: such a row is never torn between pages."""


def advice_part(content: ReportContent) -> Part:
    """Calls by administrator. Of too many calls each administrator's last ones, with a note."""
    counts = [len(person.calls) for person in content.advice]
    most = _fair_share(counts)
    note = ""
    if sum(counts) > MAX_CALLS:
        shown_calls = ru.calls(sum(min(count, most) for count in counts))
        note = f"Показаны последние {shown_calls} из {ru.integer(sum(counts))}, все — в Excel."
    return {"people": [_person(person, most) for person in content.advice], "note": note}


def common_part(advice: Sequence[CommonAdvice]) -> Part:
    """The most given texts with who got them."""
    note = ""
    if len(advice) > MAX_COMMON:
        note = f"Показаны первые {MAX_COMMON} из {ru.integer(len(advice))}, все — в Excel."
    items = [{"text": shown(one.text), "spread": _spread(one)} for one in advice[:MAX_COMMON]]
    return {"items": items, "note": note}


def _spread(one: CommonAdvice) -> str:
    people = ru.counted(one.administrators, "администратор", "администратора", "администраторов")
    return f"{people}, {ru.calls(one.calls)}"


def _fair_share(counts: Sequence[int]) -> int:
    """As many calls of each administrator as `MAX_CALLS` has room for, at least one."""
    left, most = MAX_CALLS, 1
    for place, count in enumerate(sorted(counts)):
        most = max(left // (len(counts) - place), 1)
        if count >= most:
            break
        left -= count
    return most


def _person(person: AdministratorAdvice, most: int) -> Part:
    return {
        "name": label(person.name),
        "clinic": label(person.clinic),
        "count": ru.calls(len(person.calls)),
        "calls": [_call(call) for call in person.calls[-most:]],
    }


def _call(call: CallAdvice) -> Part:
    return {
        "at": ru.moment(call.at),
        "about": label(f"{call.direction}, {call.call_type}"),
        "length": f"{ru.minutes_seconds(call.seconds)}{ru.NBSP}мин",
        "score": ru.decimal(call.overall),
        "tone": score_tone(call.overall),
        "converted": call.converted,
        "transcript": call.transcript_url or "",
        "recording": call.recording_url or "",
        "texts": [shown(text) for text in call.texts],
        "keep": sum(map(len, call.texts)) < _KEPT_TOGETHER,
    }
