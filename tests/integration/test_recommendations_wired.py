"""Stored conclusions reach the boards and the reports of the whole application."""

from datetime import date

from tests.fixtures.clinic_at_work import EVENING, ClinicAtWork
from tests.fixtures.clinic_day import stored_call, transcript

from medai.calls.models import Analysis, Stage
from medai.kit.days import DayRange

MONDAY, SUNDAY = date(2026, 11, 16), date(2026, 11, 22)


async def rows(at_work: ClinicAtWork) -> list[tuple[str, date, date, list[str], str]]:
    query = (
        "SELECT period_type, start_date, end_date, summary_points, overall_summary"
        " FROM public.recommendation_analysis ORDER BY period_type DESC"
    )
    async with at_work.app.pool.connection() as connection:
        return [tuple(row) for row in await (await connection.execute(query)).fetchall()]


async def test_conclusions_are_exported_once_and_shown_in_reports(at_work: ClinicAtWork) -> None:
    app, days = at_work.app, DayRange(MONDAY, SUNDAY)
    analysis = Analysis(
        call_type_id=1, call_type="первичка", scores={"greeting": 9, "price": 3}, overall=6.0,
        recommendations=("Назовите цену.",), needs_review=False, scorecard_version="medai-1",
        model="m", analysed_at=EVENING,
    )  # fmt: skip
    call = stored_call(
        1, client_id=at_work.client_id, analysis=analysis, stage=Stage.ANALYSED,
        business_day=MONDAY, transcript=transcript(),
    )  # fmt: skip
    await app.calls.insert_many([call])
    assert (await app.reports.content(at_work.client_id, days)).summary == ""

    week = await app.recommendations.weekly(at_work.client_id, MONDAY, SUNDAY)
    month = await app.recommendations.monthly(at_work.client_id, 2026, 11)

    assert (await app.reports.content(at_work.client_id, days)).summary == week.overall_summary
    written = await app.exports.export(at_work.client_id)
    assert written["recommendation_analysis"] == 2
    assert await rows(at_work) == [
        ("weekly", MONDAY, SUNDAY, list(week.summary_points), week.overall_summary),
        ("monthly", date(2026, 11, 1), date(2026, 11, 30), list(month.summary_points),
         month.overall_summary),
    ]  # fmt: skip
    assert "recommendation_analysis" not in await app.exports.export(at_work.client_id)
    bill = at_work.sandbox.control.bill()
    assert bill["llm_requests_by_kind"] == {"WeekConclusions": 1, "MonthConclusions": 1}
    assert bill["llm_input_tokens"] == week.usage.input_tokens + month.usage.input_tokens
