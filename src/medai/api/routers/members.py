"""People of the bot: who is in a clinic as whom, invitations, the log of both."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from medai.api.dependencies import App, Visitor, Who
from medai.api.errors import problems
from medai.api.routers.parameters import LONGEST_ID, ClinicId
from medai.bootstrap import Application
from medai.members.invitations import INVITATION_LIFE, LONGEST_LIFE
from medai.members.log import MemberEntry
from medai.members.models import Invitation, Member, Role
from medai.members.rules import LONGEST_ADMINISTRATOR, invitation_link, key_holder

router = APIRouter(prefix="/admin", tags=["members"])

TelegramId = Annotated[int, Path(gt=0, lt=2**53, description="номер человека в Telegram")]
InvitationId = Annotated[str, Path(max_length=LONGEST_ID, description="id из списка приглашений")]
_CLINIC = ["0b1c5a52-3f5e-4c2e-9c33-1f6d0e7b8a10"]
_WHO = ["Анна Смирнова"]


class ShownMember(BaseModel):
    """A person in one clinic. `invited_by`: "telegram:<id>", "api:<name of a key>", "cli", or
    "telegram_ids" for owners of an old installation."""

    telegram_id: int
    name: str = Field(description="как человек назван в Telegram; пусто, пока он не писал боту")
    role: Role
    administrator: str = Field(description="чьи звонки видит администратор", examples=_WHO)
    since: datetime
    invited_by: str = Field(examples=["cli"])
    blocked_at: datetime | None = Field(description="с какого времени бот заблокирован")


class MemberList(BaseModel):
    """Longest members first."""

    members: list[ShownMember]


class InvitationOrder(BaseModel):
    """Body of POST admin/invitations. `administrator`: for that role only, as calls name them."""

    model_config = ConfigDict(extra="forbid")
    client_id: str = Field(max_length=LONGEST_ID, examples=_CLINIC)
    role: Role
    administrator: str = Field("", max_length=LONGEST_ADMINISTRATOR, examples=[""])
    days: int = Field(INVITATION_LIFE.days, ge=1, le=LONGEST_LIFE.days)


class ShownInvitation(BaseModel):
    """An invitation without its code."""

    id: str = Field(examples=["5f2b9c0d1e3a4b5c6d7e8f90"])
    client_id: str = Field(examples=_CLINIC)
    role: Role
    administrator: str = Field(examples=_WHO)
    created_at: datetime
    created_by: str = Field(examples=["api:владелец"])
    expires_at: datetime


class CreatedInvitation(ShownInvitation):
    """The only answer that ever holds the code. `link` is null while BOT_NAME is not set."""

    code: str = Field(examples=["6f1c0d9b5e7a4823b1f0c2d4e6a89b03"])
    link: str | None = Field(examples=["https://t.me/clinic_bot?start=6f1c0d9b…"])


class InvitationList(BaseModel):
    """Those that can still be used, oldest first."""

    invitations: list[ShownInvitation]


class MemberEntries(BaseModel):
    """Newest first."""

    entries: list[MemberEntry]


@router.get("/members", summary="People of a clinic in the bot", responses=problems(404))
async def members(client_id: ClinicId, app: App, who: Who) -> MemberList:
    """Owners of an old installation are among them before they write to the bot."""
    await _known(client_id, app, who)
    found = [_shown(one, client_id) async for one in app.members.of_clinic(client_id)]
    return MemberList(members=found)


@router.delete(
    "/members/{telegram_id}",
    status_code=204,
    summary="Take a person out of a clinic",
    responses=problems(404),
)
async def revoke(telegram_id: TelegramId, client_id: ClinicId, app: App, who: Who) -> None:
    """At once; the invitations the person gave out and nobody used end too."""
    await _known(client_id, app, who)
    await app.members.revoke(client_id, telegram_id, by=_by(who))


@router.post(
    "/invitations", status_code=201, summary="Invite a person", responses=problems(400, 404)
)
async def invite(order: InvitationOrder, app: App, who: Who) -> CreatedInvitation:
    """The code lets one person in once and is in this answer and nowhere else."""
    await _known(order.client_id, app, who)
    invitation, code = await app.invitations.create(
        order.client_id,
        order.role,
        administrator=order.administrator,
        by=_by(who),
        life=timedelta(days=order.days),
    )
    link = invitation_link(app.settings.bot_name, code)
    return CreatedInvitation(code=code, link=link, **_offered(invitation).model_dump())


@router.get("/invitations", summary="Open invitations of a clinic", responses=problems(404))
async def invitations(client_id: ClinicId, app: App, who: Who) -> InvitationList:
    """Neither used nor expired nor revoked; without their codes."""
    await _known(client_id, app, who)
    found = [_offered(one) async for one in app.invitations.open(client_id)]
    return InvitationList(invitations=found)


@router.delete(
    "/invitations/{invitation_id}",
    status_code=204,
    summary="Revoke an invitation",
    responses=problems(404),
)
async def withdraw(invitation_id: InvitationId, client_id: ClinicId, app: App, who: Who) -> None:
    """Its code lets nobody in from now on. Revoking twice is no error."""
    await _known(client_id, app, who)
    await app.invitations.revoke(invitation_id, client_id=client_id, by=_by(who))


@router.get("/member-log", summary="Who let whom in and took whom out", responses=problems(404))
async def member_log(
    client_id: ClinicId,
    app: App,
    who: Who,
    limit: Annotated[int, Query(ge=1, le=1000, description="не больше стольких")] = 100,
) -> MemberEntries:
    """Newest first."""
    await _known(client_id, app, who)
    return MemberEntries(entries=[one async for one in app.member_log.newest(client_id, limit)])


async def _known(client_id: str, app: Application, who: Visitor) -> None:
    """Raises NotFoundError for an unknown clinic and one outside the key."""
    who.require(client_id)
    await app.clinics.require(client_id)


def _by(who: Visitor) -> str:
    return key_holder(who.grant.name)


def _shown(member: Member, client_id: str) -> ShownMember:
    membership = member.of(client_id)
    given = membership.model_dump(exclude={"client_id"}) if membership else {}
    seen = member.model_dump(include={"telegram_id", "name", "blocked_at"})
    return ShownMember(**seen, **given)


def _offered(invitation: Invitation) -> ShownInvitation:
    return ShownInvitation(**invitation.model_dump(include=set(ShownInvitation.model_fields)))
