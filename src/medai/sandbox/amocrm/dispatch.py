"""Which handler answers which method and path under /api/v4."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import Response

from medai.sandbox.amocrm import (
    calls,
    catalogue,
    links,
    read_cards,
    read_events,
    read_notes,
    write_leads,
    write_notes,
)
from medai.sandbox.amocrm.answers import ProblemError
from medai.sandbox.amocrm.context import Context
from medai.sandbox.amocrm.rows import COLLECTIONS

Handler = Callable[[Context], Response]
_NUMBERS = re.compile(r"\{(id|note|status)\}")

_TABLE: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/account", catalogue.account),
    ("GET", "/users", catalogue.users),
    ("GET", "/users/{id}", catalogue.user),
    ("GET", "/events", read_events.listing),
    ("GET", "/events/types", read_events.types),
    ("GET", "/events/{event}", read_events.one),
    ("GET", "/leads/pipelines", catalogue.pipelines),
    ("GET", "/leads/pipelines/{id}", catalogue.pipeline),
    ("GET", "/leads/pipelines/{id}/statuses", catalogue.statuses),
    ("GET", "/leads/pipelines/{id}/statuses/{status}", catalogue.status),
    ("GET", "/{cards}/custom_fields", catalogue.fields),
    ("GET", "/{cards}/custom_fields/{id}", catalogue.field),
    ("GET", "/{cards}/links", links.of_many),
    ("GET", "/{cards}/{id}/links", links.of_card),
    ("GET", "/{cards}/notes", read_notes.of_type),
    ("POST", "/{cards}/notes", write_notes.post),
    ("PATCH", "/{cards}/notes", write_notes.patch),
    ("GET", "/{cards}/notes/{note}", read_notes.one),
    ("GET", "/{cards}/{id}/notes", read_notes.of_card),
    ("POST", "/{cards}/{id}/notes", write_notes.post),
    ("PATCH", "/{cards}/{id}/notes", write_notes.patch),
    ("GET", "/{cards}/{id}/notes/{note}", read_notes.one),
    ("PATCH", "/{cards}/{id}/notes/{note}", write_notes.patch_one),
    ("PATCH", "/leads", write_leads.patch),
    ("PATCH", "/leads/{id}", write_leads.patch_one),
    ("GET", "/{cards}", read_cards.listing),
    ("GET", "/{cards}/{id}", read_cards.one),
    ("POST", "/calls", calls.post),
)


@dataclass(frozen=True, slots=True)
class Match:
    """A path that the API knows. `template` names it in the ledger."""

    template: str
    params: dict[str, str]
    handlers: dict[str, Handler]

    def handler(self, method: str) -> Handler:
        """The handler. Raises ProblemError (405), for example for DELETE of notes."""
        found = self.handlers.get(method)
        if found is None:
            raise ProblemError(405, f"Method {method} is not allowed")
        return found


def find(path: str) -> Match | None:
    """The route of a path below /api/v4, None for an unknown one."""
    for pattern, template, handlers in _ROUTES:
        match = pattern.fullmatch(path)
        if match:
            kind = template.split("/")[1]
            return Match(template, {**match.groupdict(), "cards": kind}, handlers)
    return None


def _routes() -> list[tuple[re.Pattern[str], str, dict[str, Handler]]]:
    by_template: dict[str, dict[str, Handler]] = {}
    for method, general, handler in _TABLE:
        for template in _expanded(general):
            by_template.setdefault(template, {})[method] = handler
    return [(_pattern(template), template, by) for template, by in by_template.items()]


def _expanded(template: str) -> list[str]:
    if "{cards}" not in template:
        return [template]
    return [template.replace("{cards}", kind) for kind in COLLECTIONS]


def _pattern(template: str) -> re.Pattern[str]:
    text = _NUMBERS.sub(r"(?P<\1>\\d+)", template)
    return re.compile(text.replace("{event}", "(?P<event>[0-9A-Za-z]+)"))


_ROUTES = _routes()
