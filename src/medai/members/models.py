"""People of Telegram and what they may see.

A person is a member while at least one membership is alive. Roles are per clinic (issue of the bot:
owner, manager, administrator); the `telegram_ids` of an old clinic are owners (contract 9).
"""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from medai.kit.model import Frozen


class Role(StrEnum):
    """What a person is in a clinic."""

    OWNER = "owner"
    MANAGER = "manager"
    ADMINISTRATOR = "administrator"

    @property
    def sees_everyone(self) -> bool:
        """Whether all calls of the clinic are open, not only the person's own."""
        return self is not Role.ADMINISTRATOR

    @property
    def invites(self) -> bool:
        """Whether the person may let others in and take them out."""
        return self is Role.OWNER


class Notice(StrEnum):
    """What the bot writes without being asked; each can be switched off by the person."""

    MORNING = "morning"
    WEEKLY = "weekly"
    MISSED_PATIENT = "missed_patient"
    TROUBLE = "trouble"
    DAILY_RUN = "daily_run"


class Membership(Frozen):
    """A role in a clinic. `administrator` is the name calls carry (`Call.administrator`): set for
    an administrator, who sees the calls of that name only."""

    client_id: str
    role: Role
    administrator: str = ""
    since: datetime
    invited_by: str


class QuietHours(Frozen):
    """From one hour to another of the clinic's clock, 0-23; over midnight when they fall so.

    Equal hours mean none. What comes in them waits until they end.
    """

    first_hour: int = Field(ge=0, le=23)
    last_hour: int = Field(ge=0, le=23)


class Member(Frozen):
    """A person. `client_id` names the clinic they look at now. `switched_off`: notices they do
    not want. `blocked_at`: since when Telegram says that they blocked the bot."""

    telegram_id: int
    name: str
    memberships: tuple[Membership, ...]
    client_id: str
    switched_off: frozenset[Notice] = frozenset()
    quiet: QuietHours = QuietHours(first_hour=22, last_hour=8)
    blocked_at: datetime | None = None

    @property
    def membership(self) -> Membership:
        """The membership of the clinic the person looks at."""
        return self.of(self.client_id) or self.memberships[0]

    def of(self, client_id: str) -> Membership | None:
        """The membership of that clinic, None for a foreign one."""
        return next((one for one in self.memberships if one.client_id == client_id), None)


class Invitation(Frozen):
    """A code that lets one person in once. The code itself is not stored, only its digest."""

    id: str
    digest: str
    client_id: str
    role: Role
    administrator: str = ""
    created_at: datetime
    created_by: str
    expires_at: datetime
    used_at: datetime | None = None
    used_by: int | None = None
    revoked_at: datetime | None = None
