"""Pages of a list and their envelope (amocrm.md 2.3)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from starlette.responses import Response

from medai.sandbox.amocrm.answers import ProblemError, nothing, written
from medai.sandbox.amocrm.context import Context
from medai.sandbox.amocrm.rows import Row

DEFAULT_LIMIT = 50
MAX_LIMIT = 250
MAX_EVENTS = 100


@dataclass(frozen=True, slots=True)
class Page:
    """One page: `number` from 1, `size` rows."""

    number: int
    size: int

    @property
    def start(self) -> int:
        """Index of the first row."""
        return (self.number - 1) * self.size


def page(context: Context) -> Page:
    """The page that was asked for. Raises ProblemError (400)."""
    asked = _positive(context, "limit", DEFAULT_LIMIT)
    if asked > MAX_LIMIT and context.account.options.over_limit == "reject":
        raise ProblemError(400, f"limit must be at most {MAX_LIMIT}")
    return Page(_positive(context, "page", 1), min(asked, MAX_LIMIT))


def events_page(context: Context) -> Page:
    """A page of events: a limit above 100 silently gives the default 50."""
    asked = _positive(context, "limit", DEFAULT_LIMIT)
    size = asked if asked <= MAX_EVENTS else DEFAULT_LIMIT
    return Page(_positive(context, "page", 1), size)


def listing(
    context: Context,
    name: str,
    found: Sequence[Row],
    asked: Page,
    render: Callable[[Row], Row],
    *,
    total: bool = False,
) -> Response:
    """The page of `found` in its envelope, 204 when it is empty."""
    rows = found[asked.start : asked.start + asked.size]
    if not rows:
        return nothing()
    links = {"self": {"href": f"{context.base}{context.path}{_suffix(context.query.raw)}"}}
    if _has_next(context, len(found), asked):
        links["next"] = {"href": _next(context, asked)}
    body: Row = {"_page": asked.number, "_links": links}
    if total:
        body |= {"_total_items": len(found), "_page_count": -(-len(found) // asked.size)}
    return written(body | {"_embedded": {name: [render(row) for row in rows]}})


def _has_next(context: Context, count: int, asked: Page) -> bool:
    end = asked.start + asked.size
    return count > end or (context.account.options.next_on_full_page and count == end)


def _next(context: Context, asked: Page) -> str:
    items = parse_qsl(context.query.raw, keep_blank_values=True)
    items = [(key, value) for key, value in items if key != "page"]
    return f"{context.base}{context.path}?{urlencode([*items, ('page', asked.number + 1)])}"


def _suffix(raw: str) -> str:
    return f"?{raw}" if raw else ""


def _positive(context: Context, name: str, default: int) -> int:
    text = context.query.one(name)
    if text is None:
        return default
    if not text.isdecimal() or int(text) < 1:
        raise ProblemError(400, f"{name} must be a positive integer")
    return int(text)
