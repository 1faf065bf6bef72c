"""What is adjustable in an account: limits, lifetimes and behaviours nobody has documented."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

FilterMode = Literal["on", "ignore", "reject", "reject_custom_fields"]


@dataclass(slots=True)
class Options:
    """Settings of one account; may be changed while the simulator runs.

    `requests_per_second` counts per integration, `account_requests_per_second` over all of them
    (amocrm.md 2.1); None switches a limit off. `ban_after` refusals within `ban_window` seconds
    close the account with 403 until `Limiter.reset` (2.2); None = never.
    `code_seconds` None: authorization codes do not age. `filters` is the paid add-on (2.4): on,
    silently ignored, every filter refused, or only those of custom fields refused and the rest
    ignored. `over_limit`: what a too large `limit` does outside events (2.3).
    `event_delay`: events show when `created_at` + delay has passed; None shows all, future too.
    `exclusive_edges`: from/to of time filters do not include their own second.
    `next_on_full_page`: a full last page still names a next one, which answers 204.
    `notes_touch_cards`: a new note moves its card's `updated_at`.
    `recordings_url`: base of recording links; None = /recordings on the host that was asked.
    """

    requests_per_second: int | None = 7
    account_requests_per_second: int | None = 50
    too_many: Literal["json", "html"] = "json"
    retry_after: int = 300
    ban_after: int | None = 20
    ban_window: float = 60.0
    code_seconds: int | None = 20 * 60
    access_seconds: int = 24 * 60 * 60
    refresh_seconds: int = 90 * 24 * 60 * 60
    filters: FilterMode = "on"
    over_limit: Literal["clamp", "reject"] = "clamp"
    event_delay: timedelta | None = None
    exclusive_edges: bool = False
    next_on_full_page: bool = False
    notes_touch_cards: bool = True
    recordings_url: str | None = None


def without_limits() -> Options:
    """Options for benchmarks: no request is refused for its rate."""
    return Options(requests_per_second=None, account_requests_per_second=None, ban_after=None)
