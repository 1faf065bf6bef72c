"""Words of the profile and of the clinic's people."""

from collections.abc import Sequence
from html import escape
from zoneinfo import ZoneInfo

from medai.bot.texts.common import ROLES, label, plain
from medai.clinics.models import Clinic
from medai.clinics.zones import shown_zone
from medai.members.models import Invitation, Member, Membership, Notice, QuietHours, Role
from medai.reports import format_ru as ru

PEOPLE, INVITE, NO_QUIET = "👥 Люди", "➕ Пригласить", "без тихих часов"
SURE, KEEP = "Да, закрыть доступ", "Нет, оставить"
ON, OFF, HERE = "🔔", "🔕", "📍"

NOTICES = {
    Notice.MORNING: "Утренняя сводка",
    Notice.WEEKLY: "Недельная сводка",
    Notice.MISSED_PATIENT: "Незаписанный пациент",
    Notice.TROUBLE: "Технические неполадки",
    Notice.DAILY_RUN: "Итог ночной обработки",
}


def profile(member: Member, membership: Membership, clinic: Clinic) -> str:
    """Who the person is here, and what the buttons below change."""
    lines = [
        f"<b>{plain(member.name) or 'Профиль'}</b>",
        f"Клиника: {plain(clinic.name)}",
        f"Роль: {ROLES[membership.role]}",
    ]
    if membership.administrator:
        lines.append(f"Ваши звонки: {plain(membership.administrator)}")
    lines += [f"Тихие часы: {quiet(member.quiet)}", "", "Уведомления включаются кнопками:"]
    return "\n".join(lines)


def quiet(hours: QuietHours) -> str:
    """22:00-08:00, or none."""
    if hours.first_hour == hours.last_hour:
        return NO_QUIET
    return f"{hours.first_hour:02d}:00–{hours.last_hour:02d}:00"


def notice_label(notice: Notice, *, on: bool) -> str:
    """A notice's button."""
    return f"{ON if on else OFF} {NOTICES[notice]}"


def clinic_label(clinic: Clinic, *, here: bool) -> str:
    """A clinic's button."""
    return f"{HERE if here else '🏥'} {label(clinic.name)}"


def people(
    clinic: Clinic, members: Sequence[Member], invitations: Sequence[Invitation], tz: ZoneInfo
) -> str:
    """Everybody of the clinic, and the codes that nobody has used yet."""
    lines = [f"<b>Люди клиники «{plain(clinic.name)}»</b>"]
    for member in members:
        found = member.of(clinic.client_id)
        if found is not None:
            blocked = ", бот заблокирован" if member.blocked_at else ""
            lines.append(f"• {plain(member.name) or member.telegram_id} — {_as(found)}{blocked}")
    if invitations:
        lines.append("\n<b>Неиспользованные приглашения</b>")
        lines += [f"• {invited(one, tz)}" for one in invitations]
    return "\n".join(lines)


def invited(invitation: Invitation, tz: ZoneInfo) -> str:
    """An open invitation."""
    until = ru.moment(invitation.expires_at.astimezone(tz))
    return f"{_named(invitation.role, invitation.administrator)}, до {until}"


def take_out_label(member: Member) -> str:
    """A member's button."""
    return f"✖️ {label(member.name or str(member.telegram_id), 40)}"


def withdraw_label(place: int) -> str:
    """An invitation's button."""
    return f"✖️ Отозвать приглашение {place}"


def sure(member: Member, clinic: Clinic) -> str:
    """The question before somebody is taken out."""
    name = plain(member.name) or member.telegram_id
    return f"Закрыть доступ к клинике «{plain(clinic.name)}»: {name}?"


def choose_role(clinic: Clinic) -> str:
    """The question of the role."""
    return f"Кого пригласить в клинику «{plain(clinic.name)}»?"


def role_label(role: Role) -> str:
    """A role's button."""
    return ROLES[role].capitalize()


def choose_administrator() -> str:
    """The question of the administrator."""
    return "Чьи звонки он увидит? Выберите или напишите имя так, как оно подписано в звонках."


def invitation(invitation: Invitation, clinic: Clinic, code: str, username: str) -> str:
    """The code, shown once."""
    until = invitation.expires_at.astimezone(shown_zone(clinic))
    link = f"https://t.me/{username}?start={code}"
    return (
        f"Приглашение в клинику «{plain(clinic.name)}»:"
        f" {_named(invitation.role, invitation.administrator)}.\n"
        f"Перешлите ссылку, она сработает один раз до {ru.moment(until)}:\n"
        f"{escape(link)}\n\n"
        f"Или код: <code>{escape(code)}</code>"
    )


def _as(membership: Membership) -> str:
    return _named(membership.role, membership.administrator)


def _named(role: Role, administrator: str) -> str:
    return ROLES[role] + (f" {plain(administrator)}" if administrator else "")
