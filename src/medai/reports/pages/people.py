"""The report of administrators as one JSON document for its Typst template."""

from collections.abc import Sequence

from medai.kit.text import shortened
from medai.reports import format_ru as ru
from medai.reports.pages.cards import person_cards
from medai.reports.pages.charts import call_bars
from medai.reports.pages.document import document
from medai.reports.pages.lines import trend_chart
from medai.reports.pages.parts import Part, cell, label, mark, score_tone, shown
from medai.reports.people.models import ENOUGH_CALLS, PeopleContent, Profile, Quote, Verdict

_LONGEST_QUOTE = 280
_COVER_BARS = 5
"""What the cover has room for below the line chart."""
_MAX_WEEKS = 8
"""As many columns as the table of weeks has room for; the last ones are shown."""


def people_document(content: PeopleContent) -> Part:
    """Everything of the common document, then a block per administrator."""
    return {
        **document(content.report),
        "trend": trend_chart(content.report.days),
        "profiles": [_profile(one) for one in content.profiles],
        "cover_bars": call_bars(content.report.administrators, _COVER_BARS),
        "note": _note(content.profiles),
        "enough": f"{ENOUGH_CALLS}{ru.NBSP}оценённых звонков",
    }


def _note(profiles: Sequence[Profile]) -> str:
    """What to know before reading the blocks; only of what they have."""
    notes = []
    if any(len(profile.weeks) > 1 for profile in profiles):
        notes.append(f"Оценка недели скрыта, если в ней меньше {ENOUGH_CALLS} оценённых звонков.")
    verdicts = (one for each in profiles for one in (*each.strongest, *each.weakest))
    if any(verdict.quote for verdict in verdicts):
        notes.append("Цитаты — слова администратора из разговора; ссылка открывает расшифровку.")
    return " ".join(notes)


def _profile(profile: Profile) -> Part:
    return {
        "name": label(profile.group.name),
        "clinic": label(profile.group.clinic),
        "count": ru.calls(profile.group.figures.calls),
        "cards": person_cards(profile.group.figures, profile.previous),
        "compared": profile.previous is not None,
        "enough": profile.group.figures.scored >= ENOUGH_CALLS,
        "weeks": _weeks(profile),
        "strongest": [_verdict(one) for one in profile.strongest],
        "weakest": [_verdict(one) for one in profile.weakest],
    }


def _weeks(profile: Profile) -> Sequence[Part]:
    """None when there is but one: the cards have just told it."""
    if len(profile.weeks) < 2:
        return []
    return [
        {
            "title": f"Неделя{ru.NBSP}{week.monday.isocalendar().week}",
            "calls": ru.integer(week.calls),
            "converted": ru.integer(week.converted),
            "overall": cell(ru.decimal(week.overall), score_tone(week.overall)),
        }
        for week in profile.weeks[-_MAX_WEEKS:]
    ]


def _verdict(verdict: Verdict) -> Part:
    return {
        "criterion": shown(verdict.criterion),
        "mean": cell(ru.decimal(verdict.mean), score_tone(verdict.mean)),
        "calls": ru.calls(verdict.calls),
        **_quote(verdict.quote),
    }


def _quote(quote: Quote | None) -> Part:
    if quote is None:
        return {"said": "", "comment": "", "where": "", "url": ""}
    moment = "" if quote.start_ms is None else f", {ru.minutes_seconds(quote.start_ms // 1000)}"
    return {
        "said": shown(shortened(quote.text, _LONGEST_QUOTE)),
        "comment": "" if quote.text else shown(shortened(quote.comment, _LONGEST_QUOTE)),
        "where": f"{ru.moment(quote.at)}{moment}, {mark(quote.call_type)}, "
        f"оценка{ru.NBSP}{quote.score}",
        "url": quote.url or "",
    }
