"""Words that every flow needs."""

import re
from html import escape, unescape

from medai.kit.text import clean, shortened
from medai.members.models import Membership, Role

HOME, LEADS, REPORT = "🏠 Главная", "📞 Получить сделки", "📊 Создать отчёт"
"""The main keyboard (contract 9)."""
BACK, CANCEL, STOP = "⬅️ Назад", "Отмена", "✖️ Остановить"
CANCEL_WORD = "отмена"

COMMANDS = {
    "start": "Главная",
    "leads": "Звонки за день",
    "report": "Отчёт за период",
    "profile": "Профиль, клиника, уведомления",
    "help": "Что умеет бот",
    "cancel": "Отменить текущее действие",
}
"""Shown by Telegram beside the message field."""

ROLES = {
    Role.OWNER: "владелец",
    Role.MANAGER: "руководитель",
    Role.ADMINISTRATOR: "администратор",
}
_LONGEST_NAME = 80
_TAG = re.compile("<[^>]*>")
STALE_BUTTON = "Эта кнопка устарела: начните с главной"
BUSY = "Это уже выполняется: дождитесь или остановите"


def plain(text: str, longest: int = _LONGEST_NAME) -> str:
    """A foreign text as text: escaped, on one line, no longer than needed."""
    return escape(shortened(" ".join(clean(text).split()), longest), quote=False)


def units(html: str) -> int:
    """How long Telegram takes the text for: UTF-16 units of what is shown (telegram.md 5)."""
    return len(unescape(_TAG.sub("", html)).encode("utf-16-le")) // 2


def label(text: str, longest: int = 48) -> str:
    """A foreign text on a button, which knows no markup; a dash for an empty one."""
    return shortened(" ".join(clean(text).split()), longest) or "—"


def invitation_prompt() -> str:
    """All that a stranger is told."""
    return (
        "Этот бот работает только по приглашению клиники. Пришлите код приглашения"
        " или откройте ссылку, которую дал владелец."
    )


def welcome(membership: Membership, clinic: str) -> str:
    """After a good code."""
    return (
        f"Добро пожаловать в клинику «{plain(clinic)}»! Ваша роль — {ROLES[membership.role]}."
        " Кнопки внизу откроют звонки и отчёты, /help расскажет остальное."
    )


def home(name: str, clinic: str, role: Role) -> str:
    """The first screen."""
    return (
        f"<b>{plain(clinic)}</b>\n"
        f"{plain(name)}, {ROLES[role]}\n\n"
        f"{LEADS} — звонки за день по сделкам\n"
        f"{REPORT} — PDF и Excel за период\n"
        "/profile — клиника и уведомления\n"
        "/help — что умеет бот"
    )


def help_text(role: Role) -> str:
    """What the bot can do for this person."""
    seen = (
        "Вы видите все звонки клиники."
        if role.sees_everyone
        else "Вы видите только свои звонки и оценки."
    )
    owner = "\n/profile → «Люди» — пригласить сотрудника или закрыть доступ" if role.invites else ""
    return (
        "<b>Что умеет бот</b>\n"
        "/leads — звонки за день: карточка, запись, расшифровка, оценка с цитатами\n"
        "/report — отчёт за неделю, месяц, квартал или свои даты\n"
        f"/profile — клиника, уведомления, тихие часы{owner}\n"
        f"/cancel или слово «{CANCEL_WORD}» — прервать то, что начато\n\n"
        f"{seen}"
    )


def registration_done() -> str:
    """/register: the nine-step form is the web's (contract 9)."""
    return "Регистрация клиники завершена: новые клиники подключают в веб-интерфейсе."


def cancelled() -> str:
    """After /cancel."""
    return "Отменено. Вы на главной."


def not_understood() -> str:
    """Words that fit nowhere."""
    return "Не понял. Выберите действие на клавиатуре внизу или откройте /help."


def stale() -> str:
    """A button of an old message, or of the replaced bot."""
    return "Эта кнопка из старого сообщения и больше не работает. Начните с кнопок внизу."


def refusal(message: str) -> str:
    """One of our errors."""
    return f"⚠️ {escape(clean(message), quote=False)}"


def trouble() -> str:
    """Something nobody foresaw."""
    return "⚠️ Что-то пошло не так, мы записали это в журнал. Попробуйте ещё раз."


def stopped() -> str:
    """An errand that the person stopped."""
    return "Остановлено."


def nothing_to_stop() -> str:
    """A stop button of something that has ended."""
    return "Останавливать нечего: всё уже закончено"
