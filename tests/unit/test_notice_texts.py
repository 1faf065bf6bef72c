"""Words of notices: harmless whatever stands in names, and never longer than Telegram takes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.report_calls import NOON

from medai.bot.notices.posts import patient_post
from medai.bot.texts import alerts, notices
from medai.clinics.models import Clinic
from medai.digests.models import (
    Booked,
    Missed,
    MissedPatient,
    Morning,
    OwnMorning,
    PatientNotice,
    Reason,
    Weekly,
    WeekOfTrend,
    WorthHearing,
)
from medai.digests.nightly import ClinicNight, NightReport, NightState
from medai.digests.patients import Outcome, PatientAlert
from medai.digests.troubles import TroubleKind, trouble
from medai.kit.days import DayRange
from medai.limits.state import state_of
from medai.reports.figures import key_figures
from medai.reports.models import FunnelStep, Group, KeyFigures
from medai.sandbox.telegram.html import formatted, utf16

MOSCOW = ZoneInfo("Europe/Moscow")
NAMES = st.text(max_size=300) | st.sampled_from(["<b>", "&lt;", "</i>", "🦷" * 200, "а" * 5000])
FIGURES: KeyFigures = replace(key_figures([]), calls=12345, converted=5, score_sum=70.0, scored=9)
DAYS = DayRange(NOON.date(), NOON.date())


def shown(text: str) -> str:
    """What Telegram shows: raises for markup that it refuses."""
    return str(formatted(text, "HTML").text)


def worth(name: str) -> WorthHearing:
    return WorthHearing(
        "0" * 24, Reason.LOST_PATIENT, NOON, name, name, 3.0, name, 2, name, name, (name,) * 20
    )


def a_morning(name: str) -> Morning:
    clinic = Clinic(id="1", client_id="c1", name=name, created_at=NOON, updated_at=NOON)
    return Morning(
        client_id="c1", clinic_name=name, tz=MOSCOW, day=NOON.date(), calls=9, talks=8,
        unfinished=3, figures=FIGURES, week=Booked(10, 3),
        missed=Missed(30, 30, tuple(MissedPatient(name, NOON, 2) for _ in range(30))),
        administrators=tuple(Group(name, FIGURES) for _ in range(50)),
        worth=(worth(name),) * 3, limits=state_of(clinic, NOON),
    )  # fmt: skip


def alert(**changes: object) -> PatientAlert:
    fields = {"id": "a" * 24, "client_id": "c1", "call_id": "b" * 24, "lead_id": 1,
              "subject": "lead:1", "at": NOON}  # fmt: skip
    return PatientAlert.model_validate({**fields, **changes})


@given(NAMES)
def test_digests_survive_any_name(name: str) -> None:
    digest = a_morning(name)
    for owner in (True, False):
        assert 0 < utf16(shown(notices.morning(digest, owner=owner))) <= 4096
    own = OwnMorning(
        client_id="c1", clinic_name=name, tz=MOSCOW, day=NOON.date(), administrator=name,
        figures=FIGURES, week_fg=60.0, worth=(worth(name),) * 3,
    )  # fmt: skip
    assert utf16(shown(notices.own_morning(own))) <= 4096
    weekly = Weekly(
        client_id="c1", clinic_name=name, days=DAYS, current=FIGURES, previous=FIGURES,
        trend=(WeekOfTrend(DAYS, Booked(3, 1)),) * 4, losses=(FunnelStep(name, 3),) * 9,
        administrators=(Group(name, FIGURES),) * 9, chart=b"",
    )  # fmt: skip
    assert utf16(shown(notices.weekly(replace(weekly, losses=())))) <= 1024


@given(NAMES)
def test_alerts_survive_any_name(name: str) -> None:
    notice = PatientNotice(
        alert=alert(claimed_by=1, claimed_name=name, claimed_at=NOON), clinic_name=name,
        tz=MOSCOW, call=worth(name), seconds=60, phone=name,
    )  # fmt: skip
    assert utf16(shown(alerts.patient(notice))) <= 4096
    assert len(alerts.taken_by(name)) <= 200
    for kind in TroubleKind:
        one = trouble(kind, "p", NOON, "c1", clinic_name=name, message=name, period="month",
                      percent=100)  # fmt: skip
        assert utf16(shown(alerts.trouble(one))) <= 4096
        assert shown(alerts.all_clear(one))
    clinics = (
        ClinicNight(name=name, state=NightState.PARTIAL, error=name, limit_percent=80),
    ) * 200
    report = NightReport(days=DAYS, started_at=NOON, finished_at=NOON, weekly=True, clinics=clinics)
    assert utf16(shown(alerts.night(report, MOSCOW))) <= 4096


def test_buttons_follow_the_state() -> None:
    def labels(one: PatientAlert) -> list[list[str]]:
        notice = PatientNotice(
            alert=one, clinic_name="", tz=MOSCOW, call=worth("x"), seconds=1, phone=""
        )
        buttons = patient_post(notice).buttons
        assert buttons is not None
        assert all(
            len((b.callback_data or "").encode()) <= 64
            for row in buttons.inline_keyboard
            for b in row
        )
        return [[button.text[0] for button in row] for row in buttons.inline_keyboard]

    mine = {"claimed_by": 1, "claimed_at": NOON}
    assert labels(alert()) == [["🙋"], ["▶"]]
    assert labels(alert(**mine)) == [["📞"], ["✅", "✖", "📵"], ["▶"]]
    assert labels(alert(**mine, called_back_at=NOON)) == [["✅", "✖", "📵"], ["▶"]]
    for outcome in Outcome:
        assert labels(alert(**mine, outcome=outcome)) == [["▶"]]


def test_the_own_digest_is_gentle() -> None:
    lost, best = worth("Мария"), replace(worth("Мария"), reason=Reason.BEST)
    own = OwnMorning(
        client_id="c1", clinic_name="Ёлка", tz=MOSCOW, day=NOON.date(), administrator="Мария",
        figures=FIGURES, week_fg=90.0, worth=(lost, best),
    )  # fmt: skip
    told = notices.own_morning(own)
    assert told.index("👏") < told.index("💡")
    assert "обычно у вас 90,0" in told
    for hard in ("не записался", "низк", "хуже", "ниже", "Не прозвучало"):
        assert hard not in told


def plainly(html: str) -> str:
    return unescape(html).replace("\N{NO-BREAK SPACE}", " ")


def test_the_forecast_of_the_minutes() -> None:
    digest = a_morning("Ёлка")
    month, week = digest.limits.month, digest.limits.week
    limits = replace(
        digest.limits,
        month=replace(month, used_seconds=144_000, percent=80.0, runs_out_at=NOON + timedelta(3)),
        week=replace(week, used_seconds=45_000, percent=100.0, left_seconds=0),
    )
    told = plainly(notices.morning(replace(digest, limits=limits), owner=True)).splitlines()
    out, back = (NOON + timedelta(3)).date(), week.resets_at.astimezone(limits.tz).date()
    assert f"• месяц: 2 400 из 3 000 (80,0 %), закончатся {out:%d.%m}" in told
    assert f"• неделя: 750 из 750 (100,0 %), закончились до {back:%d.%m}" in told
    enough = plainly(notices.morning(digest, owner=True)).splitlines()
    assert "• месяц: 0 из 3 000 (0,0 %), хватит" in enough


def test_plurals_and_numbers() -> None:
    digest = replace(a_morning("Ёлка"), calls=1, unfinished=21)
    told = plainly(notices.morning(digest, owner=True))
    assert "12 345" in told
    assert "Ещё в работе: 21 звонок" in told
    assert "Пропущено: <b>30</b> (30 номеров)" in told
    assert "и ещё 25 номеров ждут звонка" in told
    few = replace(digest, missed=replace(digest.missed, waiting=digest.missed.waiting[:6]))
    assert "и ещё 1 номер ждёт звонка" in plainly(notices.morning(few, owner=True))
    report = NightReport(
        days=DAYS, started_at=NOON, finished_at=NOON + timedelta(minutes=42), weekly=False,
        clinics=(ClinicNight(name="Ёлка", state=NightState.DONE, exported=True),),
    )  # fmt: skip
    assert "42 мин" in alerts.night(report, MOSCOW).replace("\N{NO-BREAK SPACE}", " ")
    assert datetime(2026, 9, 1, 9, tzinfo=UTC) == NOON
