"""A notice as it is shown: text, buttons, perhaps a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from aiogram.types import InlineKeyboardMarkup

from medai.bot.keyboards.common import Row, board, button
from medai.bot.notices.callbacks import AlertAt, Do, OpenAt
from medai.bot.texts import alerts, notices
from medai.digests.models import Morning, OwnMorning, PatientNotice, Weekly, WorthHearing
from medai.digests.nightly import NightReport
from medai.digests.troubles import Trouble
from medai.processing.digests.deliveries import Due, Kind

_KEEPERS_ZONE = ZoneInfo("Europe/Moscow")
"""The installation's own clock, as in its schedule."""


@dataclass(frozen=True, slots=True)
class Post:
    """A message; with a `picture` (PNG) the text is its caption."""

    text: str
    buttons: InlineKeyboardMarkup | None = None
    picture: bytes = b""


def post_of(due: Due) -> Post:
    """The message of a notice that is due."""
    match due.content:
        case Morning() as content:
            text = notices.morning(content, owner=due.for_owner)
            return Post(text, _calls(content.worth, content.tz))
        case OwnMorning() as content:
            return Post(
                notices.own_morning(content), _calls(notices.own_worth(content), content.tz)
            )
        case Weekly() as content:
            return Post(notices.weekly(content), picture=content.chart)
        case PatientNotice() as content:
            return patient_post(content)
        case Trouble() as content if due.kind is Kind.ALL_CLEAR:
            return Post(alerts.all_clear(content))
        case Trouble() as content:
            return Post(alerts.trouble(content))
        case NightReport() as content:
            return Post(alerts.night(content, _KEEPERS_ZONE))


def patient_post(notice: PatientNotice) -> Post:
    """An alert in its present state."""
    alert = notice.alert
    opened = [button(alerts.OPEN, OpenAt(call=alert.call_id))]

    def key(text: str, do: Do) -> Row:
        return [button(text, AlertAt(alert=alert.id, do=do))]

    if alert.outcome is not None:
        return Post(alerts.patient(notice), board(opened))
    if alert.claimed_by is None:
        return Post(alerts.patient(notice), board(key(alerts.TAKE, Do.TAKE), opened))
    called = [] if alert.called_back_at else key(alerts.CALLED_BACK, Do.CALLED)
    ends = [
        *key(alerts.BOOKED, Do.BOOKED),
        *key(alerts.REFUSED, Do.REFUSED),
        *key(alerts.UNREACHED, Do.UNREACHED),
    ]
    return Post(alerts.patient(notice), board(called, ends, opened))


def _calls(worth: Sequence[WorthHearing], tz: ZoneInfo) -> InlineKeyboardMarkup | None:
    rows = [
        [button(notices.call_label(number, one, tz), OpenAt(call=one.call_id))]
        for number, one in enumerate(worth, start=1)
    ]
    return board(*rows) if rows else None
