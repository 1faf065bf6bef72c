"""Time as an argument: services take a `Clock`, rules take an aware `datetime`."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the present moment, aware, in UTC."""


def utc_now() -> datetime:
    """The present moment in UTC, cut to milliseconds (what both document stores can keep)."""
    return to_milliseconds(datetime.now(UTC))


def to_milliseconds(moment: datetime) -> datetime:
    """The same moment in UTC without microseconds below a millisecond.

    Raises ValueError for a naive datetime: a moment without a zone has no meaning here.
    """
    if moment.tzinfo is None:
        raise ValueError("naive datetime: attach a time zone first")
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def from_unix(seconds: int) -> datetime:
    """amoCRM and Telegram speak unix seconds in UTC (amocrm.md 0)."""
    return datetime.fromtimestamp(seconds, UTC)
