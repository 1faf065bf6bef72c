"""GET of links between cards: of one card, or of many at once (amocrm.md 6.3)."""

from collections.abc import Iterator

from starlette.responses import Response

from medai.sandbox.amocrm.answers import ProblemError, nothing, written
from medai.sandbox.amocrm.context import Context
from medai.sandbox.amocrm.rows import COLLECTIONS, Row


def of_many(context: Context) -> Response:
    """Links of the cards in the required `filter[entity_id]`; needs no add-on."""
    ids = context.query.ints("filter", "entity_id")
    if not ids:
        raise ProblemError(400, "filter[entity_id] is required")
    return _answer(context, [link for card_id in ids for link in _links(context, card_id)])


def of_card(context: Context) -> Response:
    """Links of one card, 204 when it has none."""
    links = list(_links(context, context.id))
    own = ("to_entity_id", "to_entity_type", "metadata")
    return _answer(context, [{key: link[key] for key in own} for link in links])


def _links(context: Context, card_id: int) -> Iterator[Row]:
    card = context.account.cards[context.kind].get(card_id) or {}
    embedded = card.get("_embedded", {})
    for kind in COLLECTIONS:
        for item in embedded.get(kind, ()):
            link = {
                "entity_id": card_id, "entity_type": context.kind, "to_entity_id": item["id"],
                "to_entity_type": kind, "metadata": _metadata(item),
            }  # fmt: skip
            if _asked(context, link):
                yield link


def _metadata(item: Row) -> Row | None:
    return {"main_contact": item["is_main"]} if "is_main" in item else None


def _asked(context: Context, link: Row) -> bool:
    kinds = context.query.values("filter", "to_entity_type")
    ids = context.query.ints("filter", "to_entity_id")
    kind_fits = not kinds or link["to_entity_type"] in kinds
    return kind_fits and (not ids or link["to_entity_id"] in ids)


def _answer(context: Context, links: list[Row]) -> Response:
    if not links:
        return nothing()
    body: Row = {"_total_items": len(links), "_links": context.link(context.path)}
    return written(body | {"_embedded": {"links": links}})
