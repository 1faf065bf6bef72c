"""Morning and weekly digests through the sandbox's Telegram: to whom, when, once, which numbers."""

from datetime import UTC, date, datetime, timedelta

import pytest
from tests.fixtures.notices import MORNING, YESTERDAY, Notices

from medai.calls.models import Direction, Stage
from medai.kit.days import DayRange
from medai.members.models import Notice, QuietHours, Role
from medai.processing.runs import Phase, Run, RunKind

OWNER, MANAGER, ADMINISTRATOR, FAR = 1, 2, 3, 4
NOON = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def busy_day(notices: Notices, client_id: str = "elka") -> None:
    """A day with every kind of call, and an earlier one to compare with."""
    call = notices.call
    await call(client_id, NOON, overall=4.0, administrator="Мария Иванова")
    await call(client_id, NOON + HOUR, overall=3.0, call_type_id=2, call_type="вторичка",
               administrator="Анна Сидорова")  # fmt: skip
    await call(client_id, NOON + 2 * HOUR, overall=9.0, converted=True,
               administrator="Мария Иванова")  # fmt: skip
    await call(client_id, NOON + 3 * HOUR, overall=0.0, call_type_id=5, call_type="другое",
               administrator="Анна Сидорова", direction=Direction.OUTBOUND)  # fmt: skip
    await notices.missed(client_id, NOON, "+79000000077")
    await notices.missed(client_id, NOON + HOUR, "+79000000077")
    await notices.missed(client_id, NOON, "+79000000078")
    await call(client_id, NOON + HOUR, phone="89000000078", converted=True, overall=8.0,
               direction=Direction.OUTBOUND, administrator="Мария Иванова")  # fmt: skip
    for back in range(1, 4):
        await call(client_id, NOON - timedelta(days=back), converted=back == 1)


async def test_the_morning_of_each_role(notices: Notices) -> None:
    await notices.clinic("elka", "Клиника <«Ёлка»>")
    await notices.person(OWNER, "elka")
    await notices.person(MANAGER, "elka", Role.MANAGER)
    await notices.person(ADMINISTRATOR, "elka", Role.ADMINISTRATOR, administrator="Мария Иванова")
    await busy_day(notices)
    await notices.delivery.mornings()
    (told,) = notices.texts(OWNER)
    assert "Клиника <«Ёлка»>" in told
    assert "Звонков: 8, разговоров 5, с оценкой 5" in told
    assert "Пропущено: 3 (2 номера), перезвонили: 1" in told
    assert "+79000000077, 2 попытки" in told
    assert "+79000000078" not in told
    assert "Записались: 2" in told
    assert "Конверсия: 40,0 % (за неделю до этого 33,3 %, +6,7 п. п.)" in told
    assert "FG): 60,0 %" in told
    assert "Первичный пациент не записался: 12:00, Мария Иванова, 4,0 из 10" in told
    assert "Следующий шаг — 3 из 10: «Сказано о next_step»" in told
    assert "Самая низкая оценка: 13:00, Анна Сидорова, 3,0 из 10" in told
    assert "Есть за что похвалить: 14:00, Мария Иванова, 9,0 из 10" in told
    assert "месяц: 0 из 3 000" in told
    assert len(notices.labels(OWNER)) == 3
    (told,) = notices.texts(MANAGER)
    assert "Анна Сидорова: 2 звонка" in told
    assert "Минуты" not in told
    (told,) = notices.texts(ADMINISTRATOR)
    assert "Ваши звонки за вчера" in told
    assert "С оценкой: 3 звонка" in told
    assert "Анна" not in told
    assert "Минуты" not in told
    assert "низк" not in told
    assert [label[-13:] for label in notices.labels(ADMINISTRATOR)] == ["Мария Иванова"] * 2


async def test_a_button_opens_the_card_and_leaves_the_digest(notices: Notices) -> None:
    await notices.clinic("elka", "Ёлка")
    await notices.clinic("iva", "Ива")
    await notices.person(OWNER, "elka")
    await notices.person(OWNER, "iva")  # looks at the second clinic now
    await busy_day(notices)
    await notices.delivery.mornings()
    digest = next(text for text in notices.texts(OWNER) if "Ёлка" in text)
    await notices.tap(OWNER, "▶️ 1. 12:00 Мария Иванова")
    assert digest in notices.texts(OWNER)
    assert "Звонок 19.11.2026 12:00" in notices.texts(OWNER)[-1]
    seat = await notices.app.members.member(OWNER)
    assert seat is not None
    assert seat.client_id == "elka"


async def test_the_hour_of_each_clinic_and_only_once(notices: Notices) -> None:
    await notices.clinic("elka", "Москва")
    await notices.clinic("vostok", "Владивосток", "Asia/Vladivostok")
    await notices.person(OWNER, "elka")
    await notices.person(FAR, "vostok")
    notices.at(datetime(2026, 11, 19, 22, 59, tzinfo=UTC))  # 8:59 in Vladivostok
    await notices.delivery.mornings()
    assert notices.texts(FAR) == []
    notices.at(datetime(2026, 11, 19, 23, 0, tzinfo=UTC))
    await notices.delivery.mornings()
    await notices.delivery.mornings()
    assert len(notices.texts(FAR)) == 1
    assert notices.texts(OWNER) == []
    notices.at(MORNING)
    await notices.delivery.mornings()
    async with notices.restarted() as another:
        await another.delivery.mornings()
    assert len(notices.texts(FAR)) == len(notices.texts(OWNER)) == 1


async def test_after_three_days_of_silence_one_digest(notices: Notices) -> None:
    await notices.clinic("elka", "Ёлка")
    await notices.person(OWNER, "elka")
    await notices.delivery.mornings()
    notices.at(MORNING + timedelta(days=4, hours=14))  # Tuesday evening, 23:00: quiet
    await notices.delivery.mornings()
    notices.at(MORNING + timedelta(days=5, hours=3))
    await notices.delivery.mornings()
    assert [text.split("\n")[1] for text in notices.texts(OWNER)] == [
        "Вчера, 19 ноября 2026",
        "Вчера, 24 ноября 2026",
    ]


async def test_quiet_hours_and_switches(notices: Notices) -> None:
    await notices.clinic("elka", "Ёлка")
    for person in (OWNER, MANAGER, FAR):
        await notices.person(person, "elka")
    await notices.app.members.set_quiet(OWNER, QuietHours(first_hour=22, last_hour=11))
    await notices.app.members.switch(MANAGER, Notice.MORNING, False)
    await notices.delivery.mornings()
    assert [len(notices.texts(each)) for each in (OWNER, MANAGER, FAR)] == [0, 0, 1]
    notices.at(MORNING + 2 * HOUR)
    await notices.delivery.mornings()
    assert [len(notices.texts(each)) for each in (OWNER, MANAGER, FAR)] == [1, 0, 1]


async def test_a_late_night_is_waited_for(notices: Notices) -> None:
    await notices.clinic("elka", "Ёлка")
    await notices.person(OWNER, "elka")
    await notices.call("elka", NOON, stage=Stage.TRANSCRIBED, analysis=None,
                       analysis_requested_at=NOON)  # fmt: skip
    run = Run(id="night", client_id="elka", kind=RunKind.NIGHT, first="2026-11-19",
              last="2026-11-19", origin="schedule", phase=Phase.CALLS,
              started_at=MORNING)  # fmt: skip
    await notices.app.runs.insert(run)
    await notices.delivery.mornings()
    assert notices.texts(OWNER) == []
    notices.at(MORNING + 2 * HOUR)
    await notices.delivery.mornings()
    assert "Ещё в работе: 1 звонок" in notices.texts(OWNER)[0]


async def test_an_administrator_without_calls_is_left_alone(notices: Notices) -> None:
    await notices.clinic("elka", "Ёлка")
    await notices.person(ADMINISTRATOR, "elka", Role.ADMINISTRATOR, administrator="Кто Угодно")
    await busy_day(notices)
    await notices.delivery.mornings()
    await notices.delivery.mornings()
    assert notices.texts(ADMINISTRATOR) == []


async def test_monday_brings_the_week_with_its_chart(notices: Notices) -> None:
    await notices.clinic("elka", "Ёлка")
    await notices.person(OWNER, "elka")
    await notices.person(ADMINISTRATOR, "elka", Role.ADMINISTRATOR, administrator="Мария Иванова")
    await busy_day(notices)
    await notices.call("elka", NOON - timedelta(days=7), converted=True, overall=6.0)
    notices.at(datetime(2026, 11, 23, 6, 0, tzinfo=UTC))
    await notices.delivery.mornings()
    await notices.delivery.mornings()
    _, weekly = notices.messages(OWNER)
    told = notices.texts(OWNER)[1]
    assert "photo" in weekly
    assert "Неделя 16–22 ноября 2026" in told
    assert "С оценкой: 8 звонков (+7 к прошлой неделе)" in told
    assert "09.11 100,0 % → 16.11 37,5 %" in told
    assert not any("photo" in one for one in notices.messages(ADMINISTRATOR))


@pytest.mark.parametrize("day", [YESTERDAY, date(2026, 11, 18)])
async def test_numbers_are_those_of_the_report_and_of_postgresql(
    notices: Notices, day: date
) -> None:
    clinic = await notices.clinic("elka", "Ёлка")
    await busy_day(notices)
    reader = notices.app.digests.mornings.reader
    digest = await reader.morning(clinic, day, await reader.day(clinic, day))
    report = await notices.app.reports.content("elka", DayRange(day, day))
    assert digest.figures == report.current
    await notices.app.exports.export("elka")
    async with notices.app.pool.connection() as connection:
        daily = await (await connection.execute(
            "SELECT sum(converted_calls), sum(total_overall_score) / sum(scored_calls_count) * 10"
            " FROM daily_summary_metrics WHERE metric_date = %s", [day])).fetchone()  # fmt: skip
        funnel = await (await connection.execute(
            "SELECT sum(total_calls), sum(talk_calls), sum(scored_calls), sum(booked_calls)"
            " FROM call_funnel_metrics WHERE metric_date = %s", [day])).fetchone()  # fmt: skip
    assert daily is not None
    assert funnel is not None
    figures = digest.figures
    assert (digest.calls, digest.talks, figures.calls, figures.converted) == tuple(funnel)
    assert figures.converted == daily[0]
    assert figures.fg_percent == pytest.approx(float(daily[1]))


async def test_one_broken_clinic_keeps_nobody_from_the_digest(notices: Notices) -> None:
    await notices.clinic("elka", "Ёлка")
    await notices.clinic("iva", "Ива")
    await notices.person(OWNER, "elka")
    await notices.person(FAR, "iva")
    call = await notices.call("elka", NOON)
    await notices.app.calls.change(call.id, {"direction": "sideways"})
    await notices.delivery.mornings()
    assert [len(notices.texts(one)) for one in (OWNER, FAR)] == [0, 1]


async def test_a_clinic_without_calls_is_told_so(notices: Notices) -> None:
    await notices.clinic("elka", "Ёлка")
    await notices.person(OWNER, "elka")
    notices.at(datetime(2026, 11, 23, 6, 0, tzinfo=UTC))
    await notices.delivery.mornings()
    day, week = notices.texts(OWNER)
    assert "Звонков за этот день нет." in day
    assert "месяц: 0 из 3 000" in day
    assert week == "📊 Ёлка\nНеделя 16–22 ноября 2026\n\nЗвонков с оценкой за неделю нет."
    assert notices.labels(OWNER) == []
