"""The product's numbers beside the sandbox's truth and the providers' own bills."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from medai.bootstrap import Application
from medai.calls.models import Call, SkipReason
from medai.cli.demo.scenario import Outcome
from medai.cli.demo.tables import SUMS, table_sums
from medai.kit.days import DayRange

Json = dict[str, Any]

CRM_LIMIT_PER_SECOND = 7
"""amoCRM answers more than this in any second with 429 (amocrm.md 2.1)."""

AUDIO_TOLERANCE_SECONDS = 0.2
"""MP3 comes in whole frames and with the encoder's delay: a measured length is that much longer."""

_SKIP_WORDS = {
    SkipReason.ZERO_DURATION: "без разговора",
    SkipReason.SHORT: "короче 6 секунд",
    SkipReason.DUPLICATE: "повтор того же звонка",
    SkipReason.NOTE_LINK: "ссылка не на запись",
    SkipReason.NOTE_MISSING: "заметка не видна",
}
_FACTS = (
    "business_day", "skip_reason", "direction", "duration", "administrator", "source", "speed",
    "converted", "conversion_type", "lead_id", "lead_name", "contact_id", "contact_name",
    "call_type_id", "scores", "overall",
)  # fmt: skip
_FACTS_OF_SKIPPED = ("business_day", "skip_reason", "direction", "duration")
"""Details of a skipped call are not paid for, so they are not compared."""


@dataclass(frozen=True, slots=True)
class Line:
    """One number of the product with the truth; `is_limit` asks for "at most"."""

    name: str
    actual: Any
    expected: Any
    is_limit: bool = False

    @property
    def differs(self) -> bool:
        """Whether the product is wrong here."""
        if self.is_limit:
            return bool(self.actual > self.expected)
        return bool(self.actual != self.expected)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Lines for the table, and what differs call by call."""

    lines: list[Line]
    calls: list[Line]

    @property
    def differences(self) -> list[str]:
        """Every wrong number in words."""
        return [
            f"{line.name}: {line.actual!r} вместо {line.expected!r}"
            for line in (*self.lines, *self.calls)
            if line.differs
        ]


async def compare(
    application: Application, outcome: Outcome, truth: Json, bill: Json, days: DayRange
) -> Comparison:
    """Totals, tables and every call, fact by fact. Raises StoreError."""
    calls = [
        call
        for client_id in outcome.syncs
        async for call in application.calls.of_days(client_id, days)
    ]
    lines = list(_totals(outcome, calls, list(truth["clinics"].values()), bill))
    lines += _tables(await table_sums(application.pool), truth["rows"])
    per_call = list(_calls(calls, truth))
    wrong = len({line.name.partition(":")[0] for line in per_call if line.differs})
    lines.append(Line("звонков с расхождениями", wrong, 0))
    return Comparison(lines, per_call)


def _totals(
    outcome: Outcome, calls: Sequence[Call], clinics: Sequence[Json], bill: Json
) -> Iterator[Line]:
    results = outcome.syncs.values()
    transcribed = [call.transcript for call in calls if call.transcript]
    yield Line("звонков найдено", sum(r.found for r in results), _sum(clinics, "calls_found"))
    yield Line("звонков сохранено", sum(r.kept for r in results), _sum(clinics, "calls_stored"))
    yield from _skipped(outcome, clinics)
    yield Line("расшифровано", len(transcribed), _sum(clinics, "notes_written"))
    yield Line("распознаваний оплачено", bill["stt_paid"], _sum(clinics, "notes_written"))
    difference = _longest_difference(calls, clinics)
    yield Line("длина записи: ошибка, с", difference, AUDIO_TOLERANCE_SECONDS, is_limit=True)
    yield Line("заметок в CRM", bill["notes"], _sum(clinics, "notes_written"))
    analysed = sum(call.analysis is not None for call in calls)
    yield Line("звонков оценено", analysed, _sum(clinics, "calls_analysed"))
    yield Line("записались", sum(call.converted for call in calls), _sum(clinics, "converted"))
    busiest = bill["crm_max_requests_in_one_second"]
    yield Line("запросов к CRM за секунду", busiest, CRM_LIMIT_PER_SECOND, is_limit=True)


def _longest_difference(calls: Sequence[Call], clinics: Sequence[Json]) -> float:
    """By how much our measured length of a recording differs from the truth at most."""
    truth = {
        (clinic["client_id"], note_id): call["seconds"]
        for clinic in clinics
        for note_id, call in clinic["calls"].items()
    }
    differences = [
        abs(call.transcript.seconds - (truth[call.client_id, str(call.note_id)] or 0.0))
        for call in calls
        if call.transcript
    ]
    return round(max(differences, default=0.0), 3)


def _skipped(outcome: Outcome, clinics: Sequence[Json]) -> Iterator[Line]:
    for reason in SkipReason:
        actual = sum(r.skipped.get(reason, 0) for r in outcome.syncs.values())
        expected = sum(clinic["calls_skipped"].get(reason.value, 0) for clinic in clinics)
        if actual or expected:
            yield Line(f"пропущено: {_SKIP_WORDS[reason]}", actual, expected)


def _tables(actual: Json, expected: Json) -> Iterator[Line]:
    for table, columns in SUMS.items():
        for column in ("rows", *columns):
            name = f"{table}: {'строк' if column == 'rows' else column}"
            yield Line(name, actual[table][column], expected[table][column])


def _calls(calls: Sequence[Call], truth: Json) -> Iterator[Line]:
    found = {(call.client_id, str(call.note_id)): call for call in calls}
    for client_id, clinic in truth["clinics"].items():
        for note_id, expected in clinic["calls"].items():
            call = found.pop((client_id, note_id), None)
            actual = _facts_of(call) if call else {}
            for name in _FACTS_OF_SKIPPED if expected["skip_reason"] else _FACTS:
                yield Line(f"звонок {note_id}: {name}", actual.get(name), expected[name])
    for _, note_id in found:
        yield Line(f"звонок {note_id}: лишний", 1, 0)


def _facts_of(call: Call) -> Json:
    analysis = call.analysis
    return {
        "business_day": call.business_day.isoformat(),
        "skip_reason": call.skip_reason.value if call.skip_reason else None,
        "direction": call.direction.value,
        "duration": call.duration_seconds,
        "administrator": call.administrator,
        "source": call.source,
        "speed": call.processing_speed_minutes,
        "converted": call.converted,
        "conversion_type": call.conversion_type,
        "lead_id": call.lead_id,
        "lead_name": call.lead_name,
        "contact_id": call.contact_id,
        "contact_name": call.contact_name,
        "call_type_id": analysis.call_type_id if analysis else None,
        "scores": dict(analysis.scores) if analysis else {},
        "overall": analysis.overall if analysis else None,
    }


def _sum(clinics: Sequence[Json], key: str) -> Any:
    return sum(clinic[key] for clinic in clinics)
