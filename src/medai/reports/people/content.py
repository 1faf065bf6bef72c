"""The report of administrators, built purely from calls and their full analyses (contract 8.3)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from medai.analysis.models import CallAnalysis
from medai.calls.models import UNKNOWN_ADMINISTRATOR, Call
from medai.kit.days import week_start
from medai.reports.content import Comparison, analysed_in
from medai.reports.figures import key_figures
from medai.reports.models import Group, ReportContent
from medai.reports.people.models import ENOUGH_CALLS, PeopleContent, Profile, WeekTrend
from medai.reports.people.verdicts import Standing, strongest, verdict, weakest
from medai.reports.places import Places

TITLE = "Отчёт по администраторам"
_Person = tuple[str, str]
"""Name and clinic."""


@dataclass(frozen=True, slots=True)
class Person:
    """One administrator's calls and what stands out, before any quote is known."""

    group: Group
    calls: Sequence[Call]
    before: Sequence[Call]
    strongest: tuple[Standing, ...]
    weakest: tuple[Standing, ...]


def people_of(
    report: ReportContent, calls: Sequence[Call], previous: Comparison, places: Places
) -> list[Person]:
    """The administrators in the report's order; whom nobody could name is not judged."""
    own = _by_person(analysed_in(calls, report.period), places)
    before = _by_person(analysed_in(previous.calls, previous.period), places)
    return [
        _person(group, own[group.name, group.clinic], before.get((group.name, group.clinic), []))
        for group in report.administrators
        if group.name != UNKNOWN_ADMINISTRATOR
    ]


def telling_calls(people: Iterable[Person]) -> list[str]:
    """Ids of the calls whose full analyses the quotes are taken from, each once."""
    standings = (one for person in people for one in (*person.strongest, *person.weakest))
    return sorted({call.id for one in standings for call in one.candidates})


def people_content(
    report: ReportContent,
    people: Iterable[Person],
    analyses: Mapping[str, CallAnalysis],
    places: Places,
) -> PeopleContent:
    """The finished report; `analyses` are those of `telling_calls`, missing ones are no harm."""
    plain = replace(report, title=TITLE, advice=(), common_advice=(), summary="")
    return PeopleContent(plain, tuple(_profile(person, analyses, places) for person in people))


def _by_person(calls: Iterable[Call], places: Places) -> dict[_Person, list[Call]]:
    found: defaultdict[_Person, list[Call]] = defaultdict(list)
    for call in calls:
        found[call.administrator, places.label(call)].append(call)
    return found


def _person(group: Group, calls: Sequence[Call], before: Sequence[Call]) -> Person:
    enough = group.figures.scored >= ENOUGH_CALLS
    return Person(
        group, calls, before,
        strongest=strongest(calls) if enough else (),
        weakest=weakest(calls) if enough else (),
    )  # fmt: skip


def _profile(person: Person, analyses: Mapping[str, CallAnalysis], places: Places) -> Profile:
    return Profile(
        group=person.group,
        previous=key_figures(person.before) if person.before else None,
        weeks=_weeks(person.calls),
        strongest=tuple(verdict(one, analyses, places) for one in person.strongest),
        weakest=tuple(verdict(one, analyses, places) for one in person.weakest),
    )


def _weeks(calls: Sequence[Call]) -> tuple[WeekTrend, ...]:
    weeks: defaultdict[object, list[Call]] = defaultdict(list)
    for call in sorted(calls, key=lambda call: call.business_day):
        weeks[week_start(call.business_day)].append(call)
    return tuple(_week(members) for members in weeks.values())


def _week(calls: Sequence[Call]) -> WeekTrend:
    scores = [call.analysis.overall for call in calls if call.analysis and call.analysis.overall]
    return WeekTrend(
        monday=week_start(calls[0].business_day),
        calls=len(calls),
        converted=sum(call.converted for call in calls),
        overall=fmean(scores) if len(scores) >= ENOUGH_CALLS else None,
    )
