"""Recommendations per administrator, and those common to many."""

from collections.abc import Sequence

from medai.calls.models import Direction
from medai.reports import format_ru as ru
from medai.reports.models import AdministratorAdvice, CallAdvice, CommonAdvice, ReportContent
from medai.reports.pages.criteria import has_other
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
    made = {(group.name, group.clinic): group.figures.calls for group in content.administrators}
    people = [_person(one, most, made[one.name, one.clinic]) for one in content.advice]
    notes = (_left_out(content, sum(counts)), _capped(counts, most))
    return {"people": people, "note": " ".join(filter(None, notes))}


def _left_out(content: ReportContent, advised: int) -> str:
    """Why administrators have fewer calls here than in their table, when they have."""
    if advised == content.current.calls:
        return ""
    note = f"Рекомендации есть к {ru.to_calls(advised)} из {ru.integer(content.current.calls)}"
    return f"{note}; к звонкам типа «другое» они не даются." if has_other(content) else f"{note}."


def _capped(counts: Sequence[int], most: int) -> str:
    if sum(counts) <= MAX_CALLS:
        return ""
    shown_calls = ru.calls(sum(min(count, most) for count in counts))
    return f"Показаны последние {shown_calls} из {ru.integer(sum(counts))}, все — в Excel."


def common_part(advice: Sequence[CommonAdvice]) -> Part:
    """The most given texts with who got them."""
    note = ""
    if len(advice) > MAX_COMMON:
        note = f"Показаны первые {MAX_COMMON} из {ru.integer(len(advice))}, все — в Excel."
    items = [{"text": shown(one.text), "spread": _spread(one)} for one in advice[:MAX_COMMON]]
    keep = sum(len(one.text) for one in advice[:MAX_COMMON]) < _KEPT_TOGETHER
    return {"items": items, "note": note, "keep": keep}


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


def _person(person: AdministratorAdvice, most: int, made: int) -> Part:
    """`made` is the number of the administrator's calls, with advice or without."""
    advised = len(person.calls)
    rest = f" с{ru.NBSP}рекомендациями из{ru.NBSP}{ru.integer(made)}" if made > advised else ""
    return {
        "name": label(person.name),
        "clinic": label(person.clinic),
        "count": ru.calls(advised) + rest,
        "calls": [_call(call) for call in person.calls[-most:]],
    }


def _about(call: CallAdvice) -> str:
    known = call.direction != Direction.UNKNOWN.label
    return f"{call.direction}, {call.call_type}" if known else call.call_type


def _call(call: CallAdvice) -> Part:
    return {
        "at": ru.moment(call.at),
        "about": label(_about(call)),
        "length": f"{ru.minutes_seconds(call.seconds)}{ru.NBSP}мин",
        "score": ru.decimal(call.overall),
        "tone": score_tone(call.overall),
        "converted": call.converted,
        "transcript": call.transcript_url or "",
        "recording": call.recording_url or "",
        "texts": [shown(text) for text in call.texts],
        "keep": sum(map(len, call.texts)) < _KEPT_TOGETHER,
    }
