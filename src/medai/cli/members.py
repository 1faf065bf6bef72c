"""Commands about people of the bot."""

from datetime import timedelta
from typing import Annotated

import typer

from medai.bootstrap import Application
from medai.cli.running import console, with_application
from medai.clinics.zones import shown_zone
from medai.members.invitations import INVITATION_LIFE, LONGEST_LIFE
from medai.members.log import MemberEntry, MemberEvent
from medai.members.models import Membership, Role
from medai.members.rules import BY_CLI, invitation_link

members = typer.Typer(
    help="Люди телеграм-бота: приглашения, роли, исключение, журнал.", no_args_is_help=True
)

ClinicOption = Annotated[str, typer.Option("--clinic", help="client_id клиники")]

_ROLES = {Role.OWNER: "владелец", Role.MANAGER: "руководитель", Role.ADMINISTRATOR: "администратор"}
_EVENTS = {
    MemberEvent.INVITED: "приглашение выдано",
    MemberEvent.INVITATION_REVOKED: "приглашение отозвано",
    MemberEvent.JOINED: "вошёл по приглашению",
    MemberEvent.ROLE_CHANGED: "роль изменилась по приглашению",
    MemberEvent.ADOPTED: "владелец из прежней версии",
    MemberEvent.REVOKED: "исключён",
}


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(members, name="members")


@members.command("invite")
def invite(
    clinic: ClinicOption,
    role: Annotated[Role, typer.Option(help="кем человек будет в клинике")],
    administrator: Annotated[
        str, typer.Option(help="имя как в звонках; только для роли administrator")
    ] = "",
    days: Annotated[
        int, typer.Option(help="сколько дней действует код", min=1, max=LONGEST_LIFE.days)
    ] = INVITATION_LIFE.days,
    bot: Annotated[str, typer.Option(help="имя бота для ссылки; без него — BOT_NAME")] = "",
) -> None:
    """Пригласить одного человека: код показывается один раз."""

    async def work(application: Application) -> None:
        invitation, code = await application.invitations.create(
            clinic, role, administrator=administrator, by=BY_CLI, life=timedelta(days=days)
        )
        whose = _role(invitation.role, invitation.administrator)
        zone = shown_zone(await application.clinics.by_client_id(clinic))
        until = f"{invitation.expires_at.astimezone(zone):%d.%m.%Y %H:%M}"
        _say(f"приглашение {invitation.id}: {whose}; действует до {until}")
        _say(code)
        link = invitation_link(bot or application.settings.bot_name, code)
        if link:
            _say(link)
        _say("передайте его сейчас: второй раз он не показывается")

    with_application(work, quiet=True)


@members.command("list")
def show(
    clinic: Annotated[str, typer.Option("--clinic", help="client_id; без него — все")] = "",
) -> None:
    """Показать людей бота."""

    async def work(application: Application) -> None:
        clinics = [one async for one in application.clinics.all()]
        if clinic:
            clinics = [await application.clinics.require(clinic)]
        for one in clinics:
            _say(f"{one.name} ({one.client_id})")
            async for member in application.members.of_clinic(one.client_id):
                membership = member.of(one.client_id)
                if membership:
                    blocked = "; заблокировал бота" if member.blocked_at else ""
                    _say(f"  {member.telegram_id}  {_line(member.name, membership)}{blocked}")

    with_application(work, quiet=True)


@members.command("revoke")
def revoke(
    person: Annotated[int, typer.Argument(help="номер из medai members list", min=1)],
    clinic: ClinicOption,
) -> None:
    """Исключить человека из клиники: он сразу теряет доступ."""

    async def work(application: Application) -> None:
        await application.clinics.require(clinic)
        await application.members.revoke(clinic, person, by=BY_CLI)
        _say("человек исключён, его неиспользованные приглашения отозваны")

    with_application(work, quiet=True)


@members.command("invitations")
def invitations(clinic: ClinicOption) -> None:
    """Показать приглашения, которыми ещё можно воспользоваться."""

    async def work(application: Application) -> None:
        zone = shown_zone(await application.clinics.require(clinic))
        found = [one async for one in application.invitations.open(clinic)]
        if not found:
            _say("открытых приглашений нет")
        for one in found:
            until = f"{one.expires_at.astimezone(zone):%d.%m.%Y %H:%M}"
            role = _role(one.role, one.administrator)
            _say(f"{one.id}  {role}; выдал {one.created_by}; действует до {until}")

    with_application(work, quiet=True)


@members.command("withdraw")
def withdraw(
    invitation: Annotated[str, typer.Argument(help="номер из medai members invitations")],
) -> None:
    """Отозвать приглашение: его код больше никого не впустит."""

    async def work(application: Application) -> None:
        await application.invitations.revoke(invitation, by=BY_CLI)
        _say("приглашение отозвано")

    with_application(work, quiet=True)


@members.command("log")
def log(
    clinic: ClinicOption,
    limit: Annotated[int, typer.Option(help="не больше стольких", min=1, max=1000)] = 50,
) -> None:
    """Показать, кто кого пригласил и исключил: последнее сверху."""

    async def work(application: Application) -> None:
        zone = shown_zone(await application.clinics.require(clinic))
        async for entry in application.member_log.newest(clinic, limit):
            _say(f"{entry.at.astimezone(zone):%d.%m.%Y %H:%M}  {_told(entry)}")

    with_application(work, quiet=True)


def _told(entry: MemberEntry) -> str:
    whom = f" {entry.telegram_id}" if entry.telegram_id else ""
    role = _role(entry.role, entry.administrator)
    return f"{_EVENTS[entry.what]}{whom}: {role}; {entry.by}"


def _line(name: str, membership: Membership) -> str:
    role = _role(membership.role, membership.administrator)
    return f"{name or 'ещё не писал боту'}: {role}; пригласил {membership.invited_by}"


def _role(role: Role, administrator: str) -> str:
    return f"{_ROLES[role]} {administrator}".rstrip()


def _say(line: str) -> None:
    console.print(line, soft_wrap=True, markup=False)
