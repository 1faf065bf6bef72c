"""What a handler knows about the request it answers."""

import json
from dataclasses import dataclass
from typing import cast

from medai.sandbox.amocrm.account import Account
from medai.sandbox.amocrm.answers import ProblemError
from medai.sandbox.amocrm.query import Query
from medai.sandbox.amocrm.rows import Row
from medai.sandbox.amocrm.tokens import Access
from medai.sandbox.world.models import CardType

MAX_BATCH = 250
"""amocrm.md 2.5."""


@dataclass(frozen=True, slots=True)
class Context:
    """A request that was admitted and carries a valid token.

    `base` is the absolute address up to and with /api/v4, `path` the rest, `params` the parts of
    the matched template, `written` collects (collection, entity id, note id) of new notes.
    """

    account: Account
    access: Access
    base: str
    path: str
    params: dict[str, str]
    query: Query
    body: bytes
    recordings: str
    written: list[tuple[CardType, int, int]]

    @property
    def kind(self) -> CardType:
        """The collection named in the path."""
        return cast(CardType, self.params["cards"])

    @property
    def id(self) -> int:
        """The card, pipeline, field or user named in the path."""
        return int(self.params["id"])

    @property
    def echo(self) -> str:
        """The query that rows repeat in their links when ids were asked for (amocrm.md 2.4)."""
        query = self.query
        asked = query.has("filter", "id") or query.has("filter", "entity_id")
        return f"?{query.raw}" if asked else ""

    def link(self, path: str) -> Row:
        """`_links` with the address of an object."""
        return {"self": {"href": f"{self.base}{path}{self.echo}"}}

    def items(self) -> list[Row]:
        """The body of a batch write: an array of objects. Raises ProblemError (400, 422)."""
        items = self._json()
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise ProblemError(400, "Request body must be an array of objects")
        if not items:
            raise ProblemError(400, "Request data can not be empty")
        if len(items) > MAX_BATCH:
            raise ProblemError(422, f"Limit {MAX_BATCH} per page")
        return items

    def item(self) -> Row:
        """The body of a write to one object. Raises ProblemError (400)."""
        item = self._json()
        if not isinstance(item, dict) or not item:
            raise ProblemError(400, "Request data can not be empty")
        return item

    def _json(self) -> object:
        if not self.body:
            raise ProblemError(400, "Request data can not be empty")
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise ProblemError(400, "Request body is not valid JSON") from error
