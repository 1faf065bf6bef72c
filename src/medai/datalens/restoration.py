"""Comparing a database with the tables and views of this version, and bringing it there again."""

from collections.abc import Sequence

import structlog
from sqlalchemy import Connection

from medai.datalens import boards
from medai.datalens.adoption import adopt, disturbs
from medai.datalens.catalog import FoundColumn, FoundIndex, columns_of, indexes_of, relation_kind
from medai.datalens.conversions import conversion
from medai.datalens.shapes import Shape, shapes

_log = structlog.get_logger(__name__)


def differences(connection: Connection) -> list[str]:
    """Names of tables and views that are not what this version writes and reads. Reads only."""
    return [_name(shape) for shape in _unfit(connection)] + boards.differing(connection)


def restore(connection: Connection) -> list[str]:
    """Bring them there; returns the names of tables that were not. Repetition changes nothing.

    Raises StoreError that names what forbids it.
    """
    unfit = _unfit(connection)
    for shape in unfit:
        adopt(connection, shape)
    missing = boards.differing(connection)
    if missing:
        boards.make(connection, missing)
    if unfit or missing:
        boards.describe(connection, missing)
        _log.info("datalens restored", tables=[_name(shape) for shape in unfit], views=missing)
    return [_name(shape) for shape in unfit]


def _unfit(connection: Connection) -> list[Shape]:
    return [shape for shape in shapes() if not _fits(connection, shape)]


def _fits(connection: Connection, shape: Shape) -> bool:
    if relation_kind(connection, shape.table) not in ("r", "p"):
        return False
    columns = {column.name: column for column in columns_of(connection, shape.table)}
    indexes = indexes_of(connection, shape.table)
    return (
        shape.columns.keys() <= columns.keys()
        and all(_takes(columns[name], kind) for name, kind in shape.columns.items())
        and all(columns[name].required for name in (shape.primary, *shape.filled))
        and (shape.primary != "id" or columns["id"].counts)
        and not any(
            column.required and not column.fills_itself
            for name, column in columns.items()
            if name not in shape.columns and name not in _primary(indexes)
        )
        and all(any(index.is_key_of(key) for index in indexes) for key in shape.keys)
        and not any(disturbs(index, shape, columns.values()) for index in indexes)
        and all(_is_indexed(indexes, wanted) for wanted in shape.indexes.values())
    )


def _takes(column: FoundColumn, kind: str) -> bool:
    """Whether the column takes our values as we send them."""
    ours = column.name == "id" or not column.is_identity
    return ours and not column.is_generated and conversion(column.name, column.kind, kind) is None


def _primary(indexes: list[FoundIndex]) -> set[str]:
    return {name for index in indexes if index.is_primary for name in index.columns}


def _is_indexed(indexes: list[FoundIndex], columns: Sequence[str]) -> bool:
    return any(index.plain and [*index.columns] == [*columns] for index in indexes)


def _name(shape: Shape) -> str:
    return shape.table.rpartition(".")[2]
