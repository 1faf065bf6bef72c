"""Who is told of what, by role. Pure; the switches of /profile are those of the same table."""

from medai.members.models import Notice, Role

_EVERYBODY = frozenset(Role)
_WHO_SEE_EVERYONE = frozenset(role for role in Role if role.sees_everyone)
_AUDIENCE = {
    Notice.MORNING: _EVERYBODY,
    Notice.WEEKLY: _WHO_SEE_EVERYONE,
    Notice.MISSED_PATIENT: _WHO_SEE_EVERYONE,
    Notice.TROUBLE: frozenset({Role.OWNER}),
}
"""The night's report (`Notice.DAILY_RUN`) goes to the chat of TELEGRAM_ADMIN_CHAT_ID alone."""


def concerns(notice: Notice, role: Role) -> bool:
    """Whether people of the role are told."""
    return role in _AUDIENCE.get(notice, frozenset())
