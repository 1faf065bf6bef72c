# ruff: noqa: S608 - names of our own migrations, no values
"""Bringing a table that somebody else made to a known shape, whatever was done to it by hand.

Rows keep their ids. Columns nobody asks for stay; they only may not refuse rows that lack them.
Used by migrations: a change here must not change what an old migration meant.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from medai.datalens.conversions import FUNCTIONS, conversion

_COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod), attnotnull, atthasdef OR attidentity <> ''
FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"""
_KEYS = """
SELECT i.indexrelid::regclass::text, c.conname, i.indisprimary,
    ARRAY(SELECT attname::text FROM pg_attribute
        WHERE attrelid = i.indrelid AND attnum = ANY(i.indkey::int2[]))
FROM pg_index AS i LEFT JOIN pg_constraint AS c
    ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u')
WHERE i.indrelid = %s::regclass AND i.indisunique"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a table has to be: `columns` maps names to PostgreSQL types as `format_type` says them.

    `primary` is one column; a primary key "id" is filled by a sequence. `key` columns in `texts`
    are never NULL: the empty text, or the value given there, stands for what was not known.
    """

    table: str
    columns: Mapping[str, str]
    primary: str
    key: Sequence[str] = ()
    required: Sequence[str] = ()
    texts: Mapping[str, str]


def adopt(connection: Connection, shape: Shape) -> None:
    """Create the table, or bring the one that exists to the shape. Repetition changes nothing."""
    for function in FUNCTIONS:
        _run(connection, function)
    table = shape.table
    _run(connection, f"CREATE TABLE IF NOT EXISTS {table} ()")
    for name, kind in shape.columns.items():
        _run(connection, f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {name} {kind}")
    _drop_keys(connection, table, shape.primary)
    _loosen(connection, shape)
    _convert(connection, shape)
    _remove_unusable(connection, shape)
    if shape.primary == "id":
        _number(connection, table)
    _remove_repeats(connection, shape)
    _tighten(connection, shape)


def _convert(connection: Connection, shape: Shape) -> None:
    """Only what cannot hold our values: a foreign view forbids to change a column it reads."""
    for name, kind, _, _ in _columns(connection, shape.table):
        wanted = shape.columns.get(name)
        using = wanted and conversion(name, kind, wanted)
        if using:
            alter = f"ALTER TABLE {shape.table} ALTER COLUMN {name}"
            _run(connection, f"{alter} DROP DEFAULT")
            _run(connection, f"{alter} TYPE {wanted} USING {using}")


def _loosen(connection: Connection, shape: Shape) -> None:
    """Nothing is required but the primary key: neither of us (`_tighten` says what is) nor of
    columns that we do not know, unless they fill themselves."""
    for name, _, required, has_default in _columns(connection, shape.table):
        fills_itself = name not in shape.columns and has_default
        if required and name != shape.primary and not fills_itself:
            _run(connection, f'ALTER TABLE {shape.table} ALTER COLUMN "{name}" DROP NOT NULL')


def _drop_keys(connection: Connection, table: str, primary_column: str) -> None:
    """A key of other columns would refuse our rows, the right one the cleaning: made at the end."""
    for index, constraint, primary, columns in _keys(connection, table):
        if primary and columns == [primary_column]:
            continue
        if constraint:
            _run(connection, f'ALTER TABLE {table} DROP CONSTRAINT "{constraint}" CASCADE')
        else:
            _run(connection, f"DROP INDEX {index}")


def _remove_unusable(connection: Connection, shape: Shape) -> None:
    """Rows without a day, a clinic or a call id stand on no board and can have no key."""
    needed = [*shape.required, *([shape.primary] if shape.primary != "id" else [])]
    for name in needed:
        _run(connection, f"DELETE FROM {shape.table} WHERE {name} IS NULL")
    for name, text in shape.texts.items():
        fill = f"UPDATE {shape.table} SET {name} = '{text}' WHERE {name} IS NULL"
        _run(connection, fill)


def _number(connection: Connection, table: str) -> None:
    """Every row its own id from a sequence that is ahead of them; ids that are right stay."""
    owned = f"SELECT pg_get_serial_sequence('{table}', 'id')"
    sequence = connection.exec_driver_sql(owned).scalar_one()
    if sequence is None:
        sequence = f"{table}_id_seq"
        _run(connection, f"CREATE SEQUENCE IF NOT EXISTS {sequence}")
        _run(connection, f"ALTER SEQUENCE {sequence} OWNED BY {table}.id")
        default = f"SET DEFAULT nextval('{sequence}')"
        _run(connection, f"ALTER TABLE {table} ALTER COLUMN id {default}")
    _run(
        connection,
        f"SELECT setval('{sequence}', greatest((SELECT coalesce(max(id), 0) + 1 FROM {table}),"
        f" (SELECT last_value + is_called::int FROM {sequence})), false)",
    )
    if _keys(connection, table):
        return
    _run(
        connection,
        f"UPDATE {table} AS old SET id = nextval('{sequence}') WHERE id IS NULL OR EXISTS ("
        f"SELECT 1 FROM {table} AS other WHERE other.id = old.id AND other.ctid > old.ctid)",
    )


def _remove_repeats(connection: Connection, shape: Shape) -> None:
    """Of rows that a broken key let repeat, the one written last is right."""
    order = "id DESC" if shape.primary == "id" else "ctid DESC"
    for key in filter(None, ((shape.primary,), tuple(shape.key))):
        same = ", ".join(key)
        _run(
            connection,
            f"DELETE FROM {shape.table} WHERE ctid IN (SELECT ctid FROM (SELECT ctid,"
            f" row_number() OVER (PARTITION BY {same} ORDER BY {order}) AS place"
            f" FROM {shape.table}) AS ranked WHERE place > 1)",
        )


def _tighten(connection: Connection, shape: Shape) -> None:
    table = shape.table
    for name, text in shape.texts.items():
        alter = f"ALTER TABLE {table} ALTER COLUMN {name}"
        _run(connection, f"{alter} SET DEFAULT '{text}'")
    for name in (*shape.required, *(name for name in shape.texts if name in shape.key)):
        _run(connection, f"ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL")
    if "created_at" in shape.columns:
        _run(connection, f"ALTER TABLE {table} ALTER COLUMN created_at SET DEFAULT now()")
    if not _keys(connection, table):
        _run(connection, f"ALTER TABLE {table} ADD PRIMARY KEY ({shape.primary})")
    if shape.key:
        name = f"uq_{table.rpartition('.')[2]}"
        columns = ", ".join(shape.key)
        _run(connection, f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE ({columns})")


def _columns(connection: Connection, table: str) -> Sequence[Any]:
    return connection.exec_driver_sql(_COLUMNS, (table,)).all()


def _keys(connection: Connection, table: str) -> Sequence[Any]:
    return connection.exec_driver_sql(_KEYS, (table,)).all()


def _run(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement)
