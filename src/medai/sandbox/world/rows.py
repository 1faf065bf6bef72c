"""Expected rows and column sums of the PostgreSQL tables (contract 3)."""

from collections.abc import Iterable, Sequence
from typing import Any

from medai.sandbox.world.criteria import NAMES

Json = dict[str, Any]
_GROUP = ("business_day", "client_id", "subdomain", "administrator", "direction_label", "source")


def table_rows(calls: Iterable[Json]) -> dict[str, Json]:
    """Rows and sums per table for stored calls, as truth.py describes them, of any clinics.

    Only calls with a recording (so a transcript) and recommendations make rows: type «другое»
    and unanalysed calls are invisible. A call with a recording has a link, so each of them has a
    detail row. Criteria that are not applicable count neither as score nor as call.
    """
    shown = [call for call in calls if call["recording"] and call["recommendations"]]
    return {
        "daily_summary_metrics": _daily(shown),
        "call_criteria_metrics": _criteria(shown),
        "call_details": {"rows": len(shown)},
        "recommendation_analysis": {"rows": 0},
    }


def _daily(calls: Sequence[Json]) -> Json:
    scored = [call["overall"] for call in calls if call["overall"]]
    speeds = [call["speed"] for call in calls if call["speed"]]
    return {
        "rows": len({_group(call) for call in calls}),
        "total_calls": len(calls),
        "converted_calls": sum(call["converted"] for call in calls),
        "total_duration_seconds": sum(call["duration"] for call in calls),
        "total_overall_score": round(sum(scored), 4),
        "scored_calls_count": len(scored),
        "total_processing_speed_minutes": sum(speeds),
        "calls_with_processing_speed_count": len(speeds),
    }


def _criteria(calls: Sequence[Json]) -> Json:
    given = [
        (call, NAMES[key], score)
        for call in calls
        for key, score in call["scores"].items()
        if score is not None
    ]
    by_name: dict[str, int] = {}
    for _, name, score in given:
        by_name[name] = by_name.get(name, 0) + score
    return {
        "rows": len({(_group(call), name) for call, name, _ in given}),
        "total_score": sum(score for *_, score in given),
        "scored_calls_count": len(given),
        "total_score_by_criterion": by_name,
    }


def _group(call: Json) -> tuple[str, ...]:
    return tuple(str(call[key]) for key in (*_GROUP, "call_type"))
