"""The tables of `tables.py` in the words of PostgreSQL's catalog."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, DefaultClause, String, Table
from sqlalchemy.dialects import postgresql

from medai.datalens.tables import METADATA, key_columns

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a table has to be: `columns` maps names to PostgreSQL types as `format_type` says them.

    `primary` is one column; a primary key "id" is filled by a sequence. A row without a value in
    `required` is of no use. In `texts` the empty text, or the value given there, stands for what
    was not known; in `counts` zero does.
    """

    table: str
    columns: Mapping[str, str]
    primary: str
    key: Sequence[str] = ()
    required: Sequence[str] = ()
    texts: Mapping[str, str]
    counts: Sequence[str] = ()
    indexes: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def keys(self) -> list[Sequence[str]]:
        """Columns that no two rows may share."""
        return [each for each in ((self.primary,), self.key) if each]

    @property
    def filled(self) -> list[str]:
        """Columns that are never NULL, besides the primary key."""
        return [*self.required, *self.texts, *self.counts]


def shapes() -> list[Shape]:
    """Every table that this version writes."""
    return [_shape(table) for table in METADATA.sorted_tables]


def _shape(table: Table) -> Shape:
    (primary,) = table.primary_key.columns.keys()
    key = key_columns(table) if len(table.constraints) > 1 else ()
    texts, counts = dict[str, str](), list[str]()
    for column in table.columns:
        if column.nullable or column.primary_key:
            continue
        if isinstance(column.server_default, DefaultClause):
            texts[column.name] = str(column.server_default.arg)
        elif column.name not in key and isinstance(column.type, String):
            texts[column.name] = ""
        elif column.type.python_type is int:
            counts.append(column.name)
    required = [
        column.name
        for column in table.columns
        if not (column.nullable or column.primary_key or column.name in {*texts, *counts})
    ]
    return Shape(
        table=f"{table.schema}.{table.name}",
        columns={column.name: kind_of(column) for column in table.columns},
        primary=primary,
        key=key,
        required=required,
        texts=texts,
        counts=counts,
        indexes={
            str(index.name): index.columns.keys()
            for index in sorted(table.indexes, key=lambda index: str(index.name))
        },
    )


def kind_of(column: Column[Any]) -> str:
    """The column's type as PostgreSQL's catalog writes it."""
    compiled: str = column.type.compile(dialect=_DIALECT)
    return compiled.lower().replace("varchar", "character varying")
