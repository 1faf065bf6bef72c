"""Buttons of notices: who takes a lost patient over, how it ended, and the card of a call."""

import structlog
from aiogram import Router
from aiogram.types import CallbackQuery

from medai.bootstrap import Application
from medai.bot import screens
from medai.bot.handlers import views
from medai.bot.notices.callbacks import AlertAt, Do, OpenAt
from medai.bot.notices.delivery import bring_up_to_date
from medai.bot.notices.writing import AwayError
from medai.bot.texts import alerts as texts
from medai.digests.patients import Outcome, PatientAlert
from medai.members.models import Member
from medai.processing.digests.patients import PatientAlerts, unknown_alert
from medai.processing.seats import Seat

_log = structlog.get_logger(__name__)

_OUTCOMES = {
    Do.BOOKED: Outcome.BOOKED,
    Do.REFUSED: Outcome.REFUSED,
    Do.UNREACHED: Outcome.UNREACHED,
}


def router() -> Router:
    """Handlers of notices' buttons."""
    made = Router(name="notices")
    made.callback_query(AlertAt.filter())(deal)
    made.callback_query(OpenAt.filter())(open_call)
    return made


async def deal(
    query: CallbackQuery, callback_data: AlertAt, seat: Seat, application: Application
) -> None:
    """Take the patient over, or tell what came of it; everybody's message follows."""
    alerts, member = application.digests.patients, seat.member
    before = await _alert_of(alerts, callback_data.alert, member)
    if await _done(alerts, before, callback_data.do, member):
        answer = texts.YOURS if callback_data.do is Do.TAKE else texts.NOTED
    else:
        answer = _refusal(await alerts.require(before.id), member)
    await screens.answer(query, answer)
    if query.bot is None:
        return
    try:
        await bring_up_to_date(query.bot, application.digests)
    except AwayError as error:
        _log.info("messages of an alert follow later", error=str(error))


async def open_call(
    query: CallbackQuery, callback_data: OpenAt, seat: Seat, application: Application
) -> None:
    """The card as a message of its own. One of another clinic of the person moves them there."""
    call = await application.calls.get(callback_data.call)
    elsewhere = call is not None and call.client_id != seat.membership.client_id
    if call is not None and elsewhere and seat.member.of(call.client_id) is not None:
        moved = await application.members.look_at(seat.member.telegram_id, call.client_id)
        seat = await application.seats.of(moved)
    screen = await views.card(seat, callback_data.call)
    await screens.answer(query)
    if query.bot is not None:
        await screens.send(query.bot, query.from_user.id, screen.text, screen.buttons)


async def _alert_of(alerts: PatientAlerts, alert_id: str, member: Member) -> PatientAlert:
    """The alert, if it is of a clinic whose calls the person may all see. Raises NotFoundError."""
    alert = await alerts.require(alert_id)
    membership = member.of(alert.client_id)
    if membership is None or not membership.role.sees_everyone:
        raise unknown_alert()
    return alert


async def _done(alerts: PatientAlerts, alert: PatientAlert, do: Do, member: Member) -> bool:
    if do is Do.TAKE:
        return await alerts.claim(alert.id, member)
    if do is Do.CALLED:
        return await alerts.called_back(alert.id, member)
    return await alerts.close(alert.id, _OUTCOMES[do], member)


def _refusal(alert: PatientAlert, member: Member) -> str:
    """Why nothing changed: ended, somebody else's, nobody's; done before is no refusal."""
    if alert.outcome is not None:
        return texts.closed(alert.outcome)
    if alert.claimed_by is None:
        return texts.TAKE_FIRST
    if alert.claimed_by != member.telegram_id:
        return texts.taken_by(alert.claimed_name)
    return texts.YOURS
