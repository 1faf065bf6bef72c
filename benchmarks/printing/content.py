"""Reports of invented calls, no two of which have the same recommendations."""

import random
from datetime import UTC, date, datetime, timedelta

from medai.analysis.models import CallType
from medai.analysis.scorecards import scorecard
from medai.calls.models import Analysis, Call, Direction, TranscriptSummary
from medai.kit.days import DayRange, zone
from medai.reports.content import build_content
from medai.reports.models import ReportClinic, ReportContent

_MONTH = DayRange(date(2026, 10, 1), date(2026, 10, 31))
_MADE = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)
_ADMINISTRATORS = tuple(f"Администратор Тестовый-{number:02d}" for number in range(12))
_SOURCES = ("Сайт", "Яндекс Карты", "ВКонтакте", "Рекомендация", "Повторное обращение", "2ГИС")
_ADVICE = (
    "Обращаться к пациенту по имени не менее двух раз за разговор, чтобы он чувствовал внимание",
    "После вопроса о цене сначала рассказать, что входит в приём, и только затем назвать цену",
    "Предлагать два конкретных времени записи вместо вопроса «когда вам удобно?»",
    "Отработать возражение «я подумаю»: уточнить, что именно смущает",
    "В конце разговора повторить дату, время и адрес, напомнить про паспорт",
)
_TEXTS = 3


class _Links:
    """Addresses as long as the signed ones of an installation."""

    def transcript_url(self, call: Call) -> str:
        return self._signed(f"transcriptions/79000000000_{call.note_id}.txt/download")

    def recording_url(self, call: Call) -> str:
        return self._signed(f"calls/download/{call.id}")

    def _signed(self, path: str) -> str:
        return f"https://medai.example/api/{path}?expires=1893456000&signature={'a' * 43}"


def report_of(calls: int) -> ReportContent:
    """A month's report of one clinic, compared with nothing; the same each time."""
    chance = random.Random(7)
    clinic = ReportClinic("clinic", "Клиника «Ёлка»", zone("Europe/Moscow"))
    made = [_call(number, chance) for number in range(calls)]
    return build_content(made, _MONTH, [clinic], created_at=_MADE, links=_Links())


def _call(number: int, chance: random.Random) -> Call:
    day = _MONTH.first + timedelta(days=chance.randrange(31))
    started = datetime(day.year, day.month, day.day, chance.randrange(6, 17), tzinfo=UTC)
    return Call(
        id=f"{number:024x}",
        client_id="clinic",
        subdomain="elka",
        note_id=number,
        administrator=chance.choice(_ADMINISTRATORS),
        source=chance.choice(_SOURCES),
        direction=chance.choice((Direction.INBOUND, Direction.OUTBOUND)),
        duration_seconds=chance.randrange(20, 700),
        processing_speed_minutes=chance.choice((0, 5, 10, 30)),
        started_at=started,
        business_day=day,
        converted=chance.random() < 0.4,
        transcript=_transcript(number, started),
        analysis=_analysis(number, chance, started),
        stored_at=started,
        updated_at=started,
    )


def _transcript(number: int, at: datetime) -> TranscriptSummary:
    return TranscriptSummary(
        filename=f"79000000000_{number}.txt",
        model="scribe_v2",
        seconds=60,
        utterances=10,
        roles_confidence=1,
        transcribed_at=at,
    )


def _analysis(number: int, chance: random.Random, at: datetime) -> Analysis:
    call_type = chance.choice((CallType.FIRST, CallType.REPEAT, CallType.CALL_BACK))
    scores: dict[str, int | None] = {key: chance.randrange(11) for key in scorecard(call_type).keys}
    known = [score for score in scores.values() if score is not None]
    return Analysis(
        call_type_id=int(call_type),
        call_type=call_type.label,
        scores=scores,
        overall=round(sum(known) / len(known), 2),
        recommendations=tuple(
            f"{text}; случай {number}." for text in chance.sample(_ADVICE, _TEXTS)
        ),
        needs_review=False,
        scorecard_version="medai-1",
        model="benchmark",
        analysed_at=at,
    )
