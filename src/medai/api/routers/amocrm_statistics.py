"""The answer of POST admin/amocrm/events/stats (contract 1.5)."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from medai.api.routers.amocrm_answers import Success
from medai.api.routers.amocrm_log import ShownEvent, event_shown
from medai.crm.event_log import LogExtract, Period
from medai.crm.log_statistics import CHAT_EVENTS, LogStatistics
from medai.crm.reading import CALL_EVENTS

_OPEN = "No limit"
_TOLD = (*CALL_EVENTS, *CHAT_EVENTS)


class EntityStatistics(BaseModel):
    """How many different cards the events are about."""

    total_leads: int
    total_contacts: int


class CallStatistics(BaseModel):
    """Calls by their notes; durations in seconds. `duplicate_calls` repeat another note's call."""

    outgoing_call: int
    incoming_call: int
    total_calls: int
    total_duration: int
    avg_duration: float
    avg_duration_formatted: str = Field(examples=["1:05"])
    calls_with_recording: int
    zero_duration_calls: int
    duplicate_calls: int


class ChatStatistics(BaseModel):
    """Chat messages."""

    incoming_chat_message: int
    outgoing_chat_message: int
    total_messages: int


class ShownPeriod(BaseModel):
    """The asked days; "No limit" for an open side."""

    start_date: str = Field(examples=["19.11.2026"])
    end_date: str = Field(examples=["No limit"])


class Execution(BaseModel):
    """How much of the log was read. `has_more`: the counts are of a part only."""

    pages_processed: int
    max_pages: int
    has_more: bool
    execution_time_seconds: float


class EventStatistics(BaseModel):
    """Counts of the log. `detailed_events` (calls and messages) come with `include_details`."""

    total_events: int
    entity_stats: EntityStatistics
    event_types: dict[str, int]
    call_stats: CallStatistics
    chat_stats: ChatStatistics
    period: ShownPeriod
    execution_info: Execution
    detailed_events: list[ShownEvent] | None = None


class StatisticsAnswer(Success):
    """Answer of POST admin/amocrm/events/stats."""

    data: EventStatistics


def statistics_shown(
    counted: LogStatistics, extract: LogExtract, period: Period, tz: ZoneInfo
) -> EventStatistics:
    """The counts without details; `max_pages` and the time are the caller's."""
    return EventStatistics(
        total_events=len(extract.events),
        entity_stats=EntityStatistics(total_leads=counted.leads, total_contacts=counted.contacts),
        event_types=dict(counted.types),
        call_stats=_calls(counted),
        chat_stats=_chats(counted),
        period=_period(period, tz),
        execution_info=Execution(
            pages_processed=extract.pages,
            max_pages=extract.pages,
            has_more=extract.has_more,
            execution_time_seconds=0,
        ),
    )


def details(extract: LogExtract, tz: ZoneInfo) -> list[ShownEvent]:
    """Calls and chat messages of the extract, newest first."""
    told = [event for event in extract.events if event.type in _TOLD]
    return [event_shown(event, extract.notes.get(event.note_id or 0), tz) for event in told]


def _calls(counted: LogStatistics) -> CallStatistics:
    seconds = int(counted.average_duration)
    return CallStatistics(
        outgoing_call=counted.types.get("outgoing_call", 0),
        incoming_call=counted.types.get("incoming_call", 0),
        total_calls=counted.calls,
        total_duration=counted.total_duration,
        avg_duration=counted.average_duration,
        avg_duration_formatted=f"{seconds // 60}:{seconds % 60:02d}",
        calls_with_recording=counted.with_recording,
        zero_duration_calls=counted.zero_duration,
        duplicate_calls=counted.repetitions,
    )


def _chats(counted: LogStatistics) -> ChatStatistics:
    incoming, outgoing = (counted.types.get(kind, 0) for kind in CHAT_EVENTS)
    return ChatStatistics(
        incoming_chat_message=incoming,
        outgoing_chat_message=outgoing,
        total_messages=incoming + outgoing,
    )


def _period(period: Period, tz: ZoneInfo) -> ShownPeriod:
    last = period.end - timedelta(seconds=1) if period.end else None
    first, last_day = (
        f"{moment.astimezone(tz):%d.%m.%Y}" if moment else _OPEN for moment in (period.start, last)
    )
    return ShownPeriod(start_date=first, end_date=last_day)
