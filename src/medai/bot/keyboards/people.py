"""Buttons of the profile and of the clinic's people."""

from collections.abc import Sequence

from aiogram.types import InlineKeyboardMarkup

from medai.bot.callbacks import (
    Go,
    InviteAs,
    InviteWho,
    LookAt,
    Place,
    Quiet,
    Switch,
    TakeOut,
)
from medai.bot.keyboards.common import board, button, home
from medai.bot.texts import common
from medai.bot.texts import people as texts
from medai.clinics.models import Clinic
from medai.digests.audience import concerns
from medai.kit.ids import stable_id
from medai.members.models import Invitation, Member, Membership, Notice, QuietHours, Role

_QUIET = (QuietHours(first_hour=22, last_hour=8), QuietHours(first_hour=20, last_hour=10),
          QuietHours(first_hour=0, last_hour=0))  # fmt: skip
MOST = 40
"""Rows of people: a keyboard takes 100 buttons."""


def clinic_key(client_id: str) -> str:
    """A clinic on a button: ids of clinics may be longer than a button carries."""
    return stable_id("clinic", client_id)


def notices_of(role: Role) -> tuple[Notice, ...]:
    """What can come to such a person."""
    return tuple(notice for notice in Notice if concerns(notice, role))


def profile(
    member: Member, membership: Membership, clinics: Sequence[Clinic]
) -> InlineKeyboardMarkup:
    """Notices, quiet hours, other clinics, people."""
    rows = []
    for notice in notices_of(membership.role):
        on = notice not in member.switched_off
        switch = Switch(notice=notice.value, on=not on)
        rows.append([button(texts.notice_label(notice, on=on), switch)])
    quiet = [
        button(
            f"{'🌙' if hours == member.quiet else '▫️'} {texts.quiet(hours)}",
            Quiet(first=hours.first_hour, last=hours.last_hour),
        )
        for hours in _QUIET
    ]
    places = [
        [
            button(
                texts.clinic_label(clinic, here=clinic.client_id == membership.client_id),
                LookAt(clinic=clinic_key(clinic.client_id)),
            )
        ]
        for clinic in (clinics if len(clinics) > 1 else ())
    ]
    people = [button(texts.PEOPLE, Go(to=Place.PEOPLE))] if membership.role.invites else []
    return board(*rows, quiet[:2], quiet[2:], *places, people, home())


def people(
    client_id: str, members: Sequence[Member], invitations: Sequence[Invitation]
) -> InlineKeyboardMarkup:
    """Take somebody out, withdraw an invitation, invite."""
    here = clinic_key(client_id)
    out = [
        [button(texts.take_out_label(member), TakeOut(what=str(member.telegram_id), clinic=here))]
        for member in members[:MOST]
    ]
    withdraw = [
        [button(texts.withdraw_label(place), TakeOut(what=one.id, clinic=here))]
        for place, one in enumerate(invitations[:MOST], start=1)
    ]
    invite = [button(texts.INVITE, Go(to=Place.INVITE))]
    return board(*out, *withdraw, invite, [button(common.BACK, Go(to=Place.PROFILE))])


def sure(asked: TakeOut) -> InlineKeyboardMarkup:
    """The question before somebody is taken out."""
    yes = button(texts.SURE, asked.model_copy(update={"sure": True}))
    return board([yes], [button(texts.KEEP, Go(to=Place.PEOPLE))])


def roles() -> InlineKeyboardMarkup:
    """The question of the role."""
    rows = [[button(texts.role_label(role), InviteAs(role=role.value))] for role in Role]
    return board(*rows, [button(common.BACK, Go(to=Place.PEOPLE))])


def administrators(names: Sequence[str]) -> InlineKeyboardMarkup:
    """The question of the administrator."""
    rows = [
        [button(common.label(name), InviteWho(place=place))]
        for place, name in enumerate(names[:MOST])
    ]
    return board(*rows, [button(common.BACK, Go(to=Place.PEOPLE))])


def to_people() -> InlineKeyboardMarkup:
    """Back to everybody."""
    return board([button(common.BACK, Go(to=Place.PEOPLE))])
