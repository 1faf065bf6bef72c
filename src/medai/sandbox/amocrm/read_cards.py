"""GET of leads, contacts and companies (amocrm.md 6.1, 6.2)."""

from starlette.responses import Response

from medai.sandbox.amocrm import card_filters, paging
from medai.sandbox.amocrm.answers import ProblemError, nothing, written
from medai.sandbox.amocrm.cards import Cards
from medai.sandbox.amocrm.context import Context
from medai.sandbox.amocrm.rows import Row
from medai.sandbox.world.models import CardType

_ALWAYS: dict[CardType, tuple[str, ...]] = {
    "leads": ("tags", "companies"),
    "contacts": ("tags", "companies"),
    "companies": ("tags",),
}
_ON_DEMAND: dict[CardType, tuple[str, ...]] = {
    "leads": ("contacts", "loss_reason", "catalog_elements", "source"),
    "contacts": ("leads", "customers", "catalog_elements"),
    "companies": ("leads", "contacts", "customers", "catalog_elements"),
}
_LINKED = ("leads", "contacts", "companies")


def listing(context: Context) -> Response:
    """Cards that meet the filters, if the account has the add-on."""
    asked = paging.page(context)
    _refuse_filters(context)
    cards = context.account.cards[context.kind]
    options = context.account.options
    deleted = context.kind == "leads" and "only_deleted" in context.query.listed("with")
    key = (options.filters, options.exclusive_edges, deleted, context.query.listing)
    found = cards.matches.get(key, lambda: _find(context, cards, deleted=deleted))
    return paging.listing(context, context.kind, found, asked, lambda row: rendered(context, row))


def one(context: Context) -> Response:
    """One card, 204 when missing or deleted."""
    row = context.account.cards[context.kind].get(context.id)
    return nothing() if row is None else written(rendered(context, row))


def rendered(context: Context, row: Row) -> Row:
    """The card with its links and what `with=` asked for."""
    asked = set(context.query.listed("with"))
    kept = [*_ALWAYS[context.kind], *(part for part in _ON_DEMAND[context.kind] if part in asked)]
    given = row.get("_embedded", {})
    embedded = {part: _linked(context, part, given.get(part, [])) for part in kept}
    links = context.link(f"/{context.kind}/{row['id']}")
    return {**row, "_links": links, "_embedded": embedded}


def _linked(context: Context, part: str, items: list[Row]) -> list[Row]:
    if part not in _LINKED:
        return items
    return [{**item, "_links": context.link(f"/{part}/{item['id']}")} for item in items]


def _refuse_filters(context: Context) -> None:
    mode, query = context.account.options.filters, context.query
    fields = query.has("filter", "custom_fields_values")
    if (mode == "reject" and query.has("filter")) or (mode == "reject_custom_fields" and fields):
        raise ProblemError(400, "Filtering is not available for this account")


def _find(context: Context, cards: Cards, *, deleted: bool) -> list[Row]:
    query, options = context.query, context.account.options
    rows = cards.all(deleted=True) if deleted else None
    tests: list[card_filters.Test] = []
    if options.filters == "on":
        tests = card_filters.tests(query, exclusive=options.exclusive_edges)
        ids = sorted(set(query.ints("filter", "id")))
        if ids and rows is None:
            rows = [row for row in map(cards.get, ids) if row is not None]
    text = query.one("query")
    if text:
        tests.append(card_filters.search(text))
    rows = cards.all() if rows is None else rows
    return _ordered(context, [row for row in rows if all(test(row) for test in tests)])


def _ordered(context: Context, rows: list[Row]) -> list[Row]:
    field, descending = context.query.order(("created_at", "updated_at", "id")) or ("id", False)
    return sorted(rows, key=lambda row: (row.get(field) or 0, int(row["id"])), reverse=descending)
