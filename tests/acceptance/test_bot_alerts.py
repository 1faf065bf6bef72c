"""Alerts through the sandbox's Telegram: lost patients, troubles, the night's report."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from tests.fixtures.notices import KEEPER, MORNING, Notices

from medai.calls.models import Call
from medai.clinics.models import LimitWarning, MinuteLimits
from medai.errors import ProviderStoppedError
from medai.members.models import Notice, QuietHours, Role
from medai.processing.runs import Phase, Run, RunKind
from medai.processing.stops import scope

OLGA, BORIS, ADMINISTRATOR = 1, 2, 3
LOST_AT = MORNING - timedelta(minutes=10)
MINUTE = timedelta(minutes=1)


async def staff(notices: Notices) -> None:
    await notices.clinic("elka", "Ёлка")
    await notices.person(OLGA, "elka", name="Ольга")
    await notices.person(BORIS, "elka", Role.MANAGER, name="Борис <b>")
    await notices.person(ADMINISTRATOR, "elka", Role.ADMINISTRATOR, administrator="Мария Иванова")


async def lost(notices: Notices, **changes: Any) -> Call:
    """A first-time patient's call whose grace has just ended."""
    facts = {"analysed_at": MORNING - 2 * MINUTE, "duration_seconds": 60, "lead_id": 77}
    call = await notices.call("elka", LOST_AT - MINUTE, **{**facts, **changes})
    notices.at(MORNING)
    return call


async def test_those_who_can_act_hear_of_a_lost_patient_once(notices: Notices) -> None:
    await staff(notices)
    await lost(notices)
    notices.at(MORNING - MINUTE)
    await notices.delivery.alerts()
    assert notices.texts(OLGA) == []
    notices.at(MORNING)
    await notices.delivery.alerts()
    await notices.delivery.alerts()
    async with notices.restarted() as another:
        await another.delivery.alerts()
    for person in (OLGA, BORIS):
        (told,) = notices.texts(person)
        assert "Первичный пациент не записался" in told
        assert "Номер: +79000000001" in told
        assert "Следующий шаг — 3 из 10: «Сказано о next_step»" in told
        assert "Не прозвучало: запись\n" in told
        assert notices.labels(person) == ["🙋 Беру", "▶️ Открыть звонок"]
    assert notices.texts(ADMINISTRATOR) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"converted": True},
        {"call_type_id": 2},
        {"first_analysed_at": MORNING - timedelta(days=2)},
        {"first_analysed_at": None},
        {"analysis_again_at": MORNING},
        {"analysis": None},
    ],
)
async def test_nobody_is_alarmed_for_nothing(notices: Notices, changes: dict[str, Any]) -> None:
    await staff(notices)
    await lost(notices, **changes)
    await notices.delivery.alerts()
    assert notices.texts(OLGA) == []


async def test_calls_older_than_a_day_alarm_nobody(notices: Notices) -> None:
    await staff(notices)
    analysed = MORNING - MINUTE
    await notices.call("elka", MORNING - timedelta(hours=24), analysed_at=analysed)
    await notices.delivery.alerts()
    assert notices.texts(OLGA) == []
    await notices.call("elka", MORNING - timedelta(hours=23), analysed_at=analysed)
    await notices.delivery.alerts()
    assert len(notices.texts(OLGA)) == 1


async def test_one_alert_for_a_lead_within_a_day(notices: Notices) -> None:
    await staff(notices)
    await lost(notices)
    await notices.delivery.alerts()
    late = MORNING + timedelta(hours=23)
    await notices.call("elka", late - timedelta(hours=1), lead_id=77, analysed_at=late)
    notices.at(late)
    await notices.delivery.alerts()
    assert len(await notices.alerts()) == 1
    await notices.call("elka", late - timedelta(hours=1), lead_id=78, analysed_at=late)
    await notices.delivery.alerts()
    assert len(await notices.alerts()) == 2


async def test_of_two_who_take_a_patient_one_gets_it(notices: Notices) -> None:
    await staff(notices)
    await lost(notices)
    await notices.delivery.alerts()
    taps = [
        notices.sandbox.control.post("/telegram/tap", chat_id=person, label="🙋 Беру")
        for person in (OLGA, BORIS)
    ]
    updates = await notices.bot.get_updates(timeout=0)
    feed = notices.dispatcher.feed_update
    await asyncio.gather(*(feed(notices.bot, update) for update in updates))
    state = notices.sandbox.control.get("/telegram/state")["callbacks"]
    answers = [state[tap["callback_query_id"]]["text"] for tap in taps]
    winner = answers.index("Пациент за вами")
    name = ("Ольга", "Борис <b>")[winner]
    assert answers[1 - winner] == f"Пациента уже взял другой сотрудник: {name}"
    await notices.delivery.alerts()
    for person in (OLGA, BORIS):
        assert f"Взял(а): {name}, 09:00" in notices.texts(person)[0]
        assert "🙋 Беру" not in notices.labels(person)


async def test_the_way_of_a_patient_to_an_outcome(notices: Notices) -> None:
    await staff(notices)
    await lost(notices)
    await notices.delivery.alerts()
    await notices.tap(OLGA, "🙋 Беру")
    assert "уже взял другой" in await notices.tap(BORIS, "✅ Записан")
    notices.at(MORNING + 20 * MINUTE)
    assert await notices.tap(OLGA, "📞 Перезвонили") == "Отмечено"
    assert "Перезвонили в 09:20" in notices.texts(BORIS)[0]
    assert "📞 Перезвонили" not in notices.labels(BORIS)
    await notices.tap(OLGA, "📵 Не дозвонились")
    for person in (OLGA, BORIS):
        assert "Итог: не дозвонились" in notices.texts(person)[0]
        assert notices.labels(person) == ["▶️ Открыть звонок"]
    (alert,) = await notices.alerts()
    assert (alert["outcome"], alert["claimed_by"]) == ("unreached", OLGA)
    await notices.tap(BORIS, "▶️ Открыть звонок")
    assert "Звонок 20.11.2026" in notices.texts(BORIS)[-1]


async def test_a_booking_of_the_crm_closes_the_alert(notices: Notices) -> None:
    await staff(notices)
    call = await lost(notices)
    await notices.delivery.alerts()
    await notices.app.calls.change(call.id, {"converted": True})
    await notices.delivery.alerts()
    for person in (OLGA, BORIS):
        assert "Итог: запись появилась в CRM" in notices.texts(person)[0]
    assert "Уже закрыто" in await stale_tap(
        notices, OLGA, f"al:{(await notices.alerts())[0]['_id']}:t"
    )


async def test_another_call_of_the_lead_may_bring_the_booking(notices: Notices) -> None:
    await staff(notices)
    await lost(notices)
    await notices.delivery.alerts()
    await notices.call("elka", MORNING, lead_id=77, converted=True, call_type_id=2)
    await notices.delivery.alerts()
    assert "запись появилась в CRM" in notices.texts(OLGA)[0]


async def stale_tap(notices: Notices, person: int, data: str) -> str:
    """A tap on a button that is not shown any more; returns the answer."""
    old = InlineKeyboardButton(text="Старая", callback_data=data)
    markup = InlineKeyboardMarkup(inline_keyboard=[[old]])
    await notices.bot.send_message(person, "кнопка", reply_markup=markup)
    return await notices.tap(person, "Старая")


async def test_strangers_to_the_alert_change_nothing(notices: Notices) -> None:
    await staff(notices)
    await notices.clinic("iva", "Ива")
    await notices.person(9, "iva", name="Чужой")
    await lost(notices)
    await notices.delivery.alerts()
    (alert,) = await notices.alerts()
    for person in (9, ADMINISTRATOR):
        await stale_tap(notices, person, f"al:{alert['_id']}:t")
        assert "не найдено" in notices.texts(person)[-1]
    assert await notices.alerts() == [alert]


async def test_a_revoked_person_hears_nothing_more(notices: Notices) -> None:
    await staff(notices)
    await lost(notices)
    await notices.app.members.revoke("elka", BORIS, by="cli")
    await notices.delivery.alerts()
    assert notices.texts(BORIS) == []


async def test_quiet_hours_switches_and_blocks_of_alerts(notices: Notices) -> None:
    await staff(notices)
    await notices.person(4, "elka", name="Тихий")
    await notices.person(5, "elka", name="Ушедший")
    await notices.app.members.switch(BORIS, Notice.MISSED_PATIENT, False)
    await notices.app.members.set_quiet(4, QuietHours(first_hour=9, last_hour=12))
    notices.sandbox.control.post("/telegram/block", chat_id=5)
    await lost(notices)
    await notices.delivery.alerts()
    assert [len(notices.texts(one)) for one in (OLGA, BORIS, 4)] == [1, 0, 0]
    gone = await notices.app.members.member(5)
    assert gone is not None
    assert gone.blocked_at is not None
    await notices.tap(OLGA, "🙋 Беру")
    notices.at(MORNING + timedelta(hours=3))
    await notices.delivery.alerts()
    assert "Взял(а): Ольга" in notices.texts(4)[0]


STOPPED = ProviderStoppedError("elevenlabs", "Ключ ElevenLabs отвергнут: проверьте EVENLABS")
CRM_GONE = ProviderStoppedError("amocrm", "amoCRM отключила интеграцию: подключите клинику заново")


async def test_a_stopped_provider_is_told_once_and_so_is_its_end(notices: Notices) -> None:
    await staff(notices)
    stops = notices.app.stops
    await stops.stand_still("elevenlabs", "elka", STOPPED)
    await notices.delivery.troubles()
    notices.at(MORNING + MINUTE)
    await stops.stand_still("elevenlabs", "elka", STOPPED)
    await notices.delivery.troubles()
    for chat in (OLGA, KEEPER):
        (told,) = notices.texts(chat)
        assert "Расшифровка звонков остановлена" in told
        assert "Ключ ElevenLabs отвергнут" in told
        assert "Что делать: проверьте ключ и баланс ElevenLabs" in told
    assert notices.texts(BORIS) == []
    await stops.lift("elevenlabs")
    await notices.delivery.troubles()
    await stops.stand_still("elevenlabs", "elka", STOPPED)  # back within five minutes
    notices.at(MORNING + 7 * MINUTE)
    await notices.delivery.troubles()
    assert len(notices.texts(OLGA)) == 1
    await stops.lift("elevenlabs")
    await notices.delivery.troubles()
    notices.at(MORNING + 12 * MINUTE)
    await notices.delivery.troubles()
    await notices.delivery.troubles()
    for chat in (OLGA, KEEPER):
        assert notices.texts(chat)[1:] == ["✅ Расшифровка снова работает, очередь разбирается."]


async def test_a_disconnected_crm_concerns_its_clinic_only(notices: Notices) -> None:
    await staff(notices)
    await notices.clinic("iva", "Ива")
    await notices.person(9, "iva", name="Чужой")
    await notices.app.members.set_quiet(OLGA, QuietHours(first_hour=9, last_hour=10))
    await notices.app.stops.stand_still("amocrm", "elka", CRM_GONE)
    await notices.delivery.troubles()
    assert [len(notices.texts(one)) for one in (OLGA, 9, KEEPER)] == [0, 0, 1]
    notices.at(MORNING + timedelta(hours=1))
    await notices.delivery.troubles()
    assert "amoCRM отключена" in notices.texts(OLGA)[0]
    await notices.app.stops.lift(scope("amocrm", "elka"))
    for _ in range(2):
        notices.clock.pass_time(5 * MINUTE)
        await notices.delivery.troubles()
    assert notices.texts(OLGA)[1:] == ["✅ Ёлка: amoCRM снова подключена, звонки загружаются."]
    assert notices.texts(9) == []


async def test_minutes_at_80_and_100_percent_and_back(notices: Notices) -> None:
    await staff(notices)

    async def minutes(*percents: int) -> None:
        month = f"{notices.clock():%Y-%m}"
        noted = tuple(
            LimitWarning(period="month", key="2026-11", percent=percent, at=MORNING)
            for percent in percents
        )
        used = MinuteLimits(month=month, month_used_seconds=10, warnings=noted)
        await notices.app.clinics.change("elka", lambda c: c.model_copy(update={"limits": used}))

    await minutes(80)
    await notices.delivery.troubles()
    await notices.delivery.troubles()
    assert ["Использовано 80 % минут месяца" in text for text in notices.texts(OLGA)] == [True]
    await minutes(80, 90, 100)
    for _ in range(3):
        await notices.delivery.troubles()
        notices.clock.pass_time(5 * MINUTE)
    assert len(notices.texts(OLGA)) == 2
    assert "новые звонки ждут" in notices.texts(OLGA)[1]
    assert "увеличьте лимит" in notices.texts(OLGA)[1]
    notices.at(datetime(2026, 12, 1, 7, 0, tzinfo=UTC))
    for _ in range(3):
        await notices.delivery.troubles()
        notices.clock.pass_time(5 * MINUTE)
    assert notices.texts(OLGA)[2:] == ["✅ Ёлка: минуты расшифровки снова есть."]


def night_of(client_id: str, **changes: Any) -> Run:
    facts = {
        "id": f"night-{client_id}", "client_id": client_id, "kind": RunKind.NIGHT,
        "first": "2026-11-19", "last": "2026-11-19", "origin": "schedule", "phase": Phase.EXPORT,
        "started_at": MORNING - timedelta(hours=12),
    }  # fmt: skip
    return Run(**{**facts, **changes})


async def test_the_report_of_a_night_comes_once_when_all_have_ended(notices: Notices) -> None:
    await notices.clinic("elka", "Ёлка")
    await notices.clinic("iva", "Ива <i>")
    await notices.call("elka", MORNING - timedelta(days=1))
    started = MORNING - timedelta(hours=1)
    done = {"saved_to_db": 12, "rows_daily": 3}
    await notices.app.runs.insert(
        night_of("elka", state="completed", statistics=done, started_at=started,
                 weeks=("2026-11-09",), finished_at=MORNING)
    )  # fmt: skip
    await notices.app.runs.insert(night_of("iva", started_at=started))
    await notices.delivery.nights()
    assert notices.texts(KEEPER) == []
    await notices.app.runs.fail(
        "night-iva", "amoCRM отключила интеграцию: подключите клинику заново, пожалуйста"
    )
    await notices.delivery.nights()
    await notices.delivery.nights()
    async with notices.restarted() as another:
        await another.delivery.nights()
    assert notices.texts(KEEPER) == [
        "⚠️ Ночная обработка MedAI\n"
        "Период: 19.11.2026\n"
        "Время: 20.11 08:00, 60 мин\n"
        "Недельный анализ: да\n"
        "\n"
        "Клиник: 2, успешно 1, с ошибками 1\n"
        "PostgreSQL: ❌\n"
        "\n"
        "❌ Ива <i> · новых 0, расшифровано 0/0, оценено 0/0"
        " · amoCRM отключила интеграцию: подключите клинику з…\n"
        "✅ Ёлка · новых 12, расшифровано 1/0, оценено 1/0 · выводы ✅"
    ]


async def test_a_night_without_end_is_told_as_it_stands(notices: Notices) -> None:
    await notices.clinic("elka", "Ёлка")
    await notices.app.runs.insert(night_of("elka"))
    notices.at(MORNING - MINUTE)
    await notices.delivery.nights()
    assert notices.texts(KEEPER) == []
    notices.at(MORNING)
    await notices.delivery.nights()
    assert "ещё не закончена" in notices.texts(KEEPER)[0]


async def test_a_night_of_the_day_before_yesterday_is_no_news(notices: Notices) -> None:
    await notices.clinic("elka", "Ёлка")
    ended = {"state": "completed", "finished_at": MORNING - timedelta(hours=30)}
    await notices.app.runs.insert(
        night_of("elka", started_at=MORNING - timedelta(hours=31), **ended)
    )
    await notices.delivery.nights()
    assert notices.texts(KEEPER) == []
