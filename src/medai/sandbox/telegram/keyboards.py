"""reply_markup as strictly as Telegram takes it."""

from typing import Any
from urllib.parse import urlsplit

from medai.sandbox.telegram.errors import bad

Markup = dict[str, Any]

_MOST_BUTTONS = 100
_MOST_CALLBACK_BYTES = 64
_ACTIONS = (
    *("callback_data", "url", "web_app", "copy_text", "login_url", "pay", "callback_game"),
    *("switch_inline_query", "switch_inline_query_current_chat", "switch_inline_query_chosen_chat"),
)
_KINDS = ("inline_keyboard", "keyboard", "remove_keyboard", "force_reply")


def checked(markup: Any) -> Markup | None:
    """The markup itself. Raises RefusedError (400)."""
    if markup is None:
        return None
    if not isinstance(markup, dict) or not any(kind in markup for kind in _KINDS):
        raise bad("can't parse reply keyboard markup JSON object")
    buttons = [button for row in _rows(markup) for button in row]
    if len(buttons) > _MOST_BUTTONS:
        raise bad("REPLY_MARKUP_TOO_LONG")
    for button in buttons:
        _check_text(button)
        if "inline_keyboard" in markup:
            _check_action(button)
    return markup


def labels(markup: Markup | None) -> list[str]:
    """The texts of all buttons."""
    return [_label(button) for row in _rows(markup or {}) for button in row]


def button(markup: Markup | None, label: str) -> dict[str, Any] | None:
    """The first button with this text; reply buttons may be plain texts."""
    for row in _rows(markup or {}):
        for each in row:
            if _label(each) == label:
                return each if isinstance(each, dict) else {"text": each}
    return None


def _rows(markup: Markup) -> list[list[Any]]:
    rows = markup.get("inline_keyboard") or markup.get("keyboard") or []
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad("can't parse inline keyboard button: field must be of type Array")
    return rows


def _label(each: Any) -> str:
    return str(each.get("text", "") if isinstance(each, dict) else each)


def _check_text(each: Any) -> None:
    if not _label(each).strip():
        raise bad("can't parse inline keyboard button: Text buttons are unallowed to be empty")


def _check_action(each: Any) -> None:
    actions = [name for name in _ACTIONS if name in each]
    if len(actions) != 1:
        raise bad("can't parse inline keyboard button: exactly one action must be used")
    data = each.get("callback_data")
    if data is not None and not 1 <= len(str(data).encode()) <= _MOST_CALLBACK_BYTES:
        raise bad("BUTTON_DATA_INVALID")
    if "url" in each:
        check_url(str(each["url"]))


def check_url(url: str) -> None:
    """Telegram opens only hosts with a dot: `localhost` is refused. Raises RefusedError (400)."""
    parts = urlsplit(url)
    if parts.scheme == "tg":
        return
    if parts.scheme not in ("http", "https") or "." not in (parts.hostname or ""):
        raise bad(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")
