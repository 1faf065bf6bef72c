# ruff: noqa: S608 - names of our own migrations, no values
"""Bringing a table that somebody else made to a known shape, whatever was done to it by hand.

Rows keep their ids. Columns nobody asks for stay; they only may not refuse rows that lack them.
Nothing of others is dropped but unique keys that would refuse our rows: if a view or a foreign key
stands on one, the whole is refused. Migrations use this: a change here must not change what an old
one meant.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from medai.datalens.catalog import (
    FoundColumn,
    FoundIndex,
    columns_of,
    followers_of,
    free_name,
    indexes_of,
    relation_kind,
)
from medai.datalens.conversions import FUNCTIONS, conversion
from medai.datalens.refusals import refusal
from medai.datalens.shapes import Shape
from medai.errors import StoreError

_TABLES = ("r", "p")


def adopt(connection: Connection, shape: Shape) -> None:
    """Create the table, or bring the one that exists to the shape. Repetition changes nothing.

    Raises StoreError that names the table when PostgreSQL, or something of somebody else's that
    would be lost, forbids it.
    """
    _Adoption(connection, shape).run()


def disturbs(
    key: FoundIndex, shape: Shape, columns: Iterable[FoundColumn], changing: Iterable[str] = ()
) -> bool:
    """Whether a unique key may refuse rows of ours, now or while the values of `changing` columns
    become others. Not if it holds all of one of our keys, or a column that counts by itself."""
    if not key.is_unique:
        return False
    theirs = [column for column in columns if column.name not in shape.columns]
    helpless = {column.name for column in theirs if not column.fills_itself}
    if key.is_primary and helpless & {*key.columns}:
        return True
    counted = {column.name for column in theirs if column.counts}
    firm = {*key.columns} - {*changing}
    ours = key.plain and any(firm >= {*each} for each in shape.keys)
    return not ours and not counted & firm


def _quoted(name: str) -> str:
    """A name of somebody else's in a statement; the driver halves percent signs."""
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'


class _Adoption:
    def __init__(self, connection: Connection, shape: Shape) -> None:
        self._connection = connection
        self._shape = shape
        self._table = shape.table
        self._name = shape.table.rpartition(".")[2]

    def run(self) -> None:
        self._create()
        self._free()
        self._drop_keys()
        self._loosen()
        self._convert()
        self._remove_unusable()
        if self._shape.primary == "id":
            self._number()
        self._remove_repeats()
        self._tighten()
        self._add_keys()
        self._add_indexes()

    def _create(self) -> None:
        for function in FUNCTIONS:
            self._run(function)
        if relation_kind(self._connection, self._table) not in (None, *_TABLES):
            raise StoreError(
                f"На месте таблицы DataLens {self._name} стоит представление или другой объект:"
                " переименуйте его и повторите medai db upgrade"
            )
        self._run(f"CREATE TABLE IF NOT EXISTS {self._table} ()")
        for name, kind in self._shape.columns.items():
            self._run(f"ALTER TABLE {self._table} ADD COLUMN IF NOT EXISTS {name} {kind}", name)

    def _free(self) -> None:
        """Columns that compute themselves become ones that take our values; theirs stay."""
        for column in self._ours():
            if column.is_generated:
                self._alter(column.name, "DROP EXPRESSION")
            if column.is_identity and column.name != "id":
                self._alter(column.name, "DROP IDENTITY")

    def _drop_keys(self) -> None:
        """A key of other columns would refuse our rows; the right one refuses the cleaning, if
        there is any, and is made at the end."""
        columns, changing = self._columns(), self._changing()
        for key in self._indexes():
            if not disturbs(key, self._shape, columns, changing):
                continue
            if key.constraint:
                self._run(f"ALTER TABLE {self._table} DROP CONSTRAINT {_escaped(key.constraint)}")
            else:
                self._run(f"DROP INDEX {_escaped(key.name)}")

    def _changing(self) -> set[str]:
        """Columns whose values will be others: equal ones may be among them."""
        shape = self._shape
        changing = {
            column.name
            for column in self._ours()
            if self._conversion(column) and not _is_text(shape.columns[column.name])
        }
        for name in set(shape.texts) & set(shape.key):
            query = f"SELECT FROM {self._table} WHERE {name} IS NULL LIMIT 1"
            if self._connection.exec_driver_sql(query).rowcount:
                changing.add(name)
        return changing

    def _loosen(self) -> None:
        """Nothing is required but what a primary key holds: neither of us (`_tighten` says what
        is) nor of columns that we do not know, unless they fill themselves."""
        held = {name for key in self._indexes() if key.is_primary for name in key.columns}
        for column in self._columns():
            ours = column.name in self._shape.columns
            fills_itself = column.is_identity or (not ours and column.has_default)
            if column.required and column.name not in held and not fills_itself:
                self._alter(column.name, "DROP NOT NULL")

    def _convert(self) -> None:
        """Only what cannot hold our values: a foreign view forbids to change a column it reads."""
        for column in self._ours():
            if using := self._conversion(column):
                if column.has_default:
                    self._alter(column.name, "DROP DEFAULT")
                self._alter(column.name, f"TYPE {self._shape.columns[column.name]} USING {using}")

    def _conversion(self, column: FoundColumn) -> str | None:
        return conversion(column.name, column.kind, self._shape.columns[column.name])

    def _remove_unusable(self) -> None:
        """Rows without a day, a clinic or a call id stand on no board and can have no key."""
        shape = self._shape
        for name in (*shape.required, *([shape.primary] if shape.primary != "id" else [])):
            self._delete(f"{name} IS NULL")
        unknown = {**{name: f"'{text}'" for name, text in shape.texts.items()},
                   **dict.fromkeys(shape.counts, "0")}  # fmt: skip
        for name, value in unknown.items():
            fill = f"UPDATE {self._table} SET {name} = {value} WHERE {name} IS NULL"
            self._run(fill, name)

    def _number(self) -> None:
        """Every row its own id from a sequence that is ahead of them; ids that are right stay."""
        owned = f"SELECT pg_get_serial_sequence('{self._table}', 'id')"
        sequence = self._connection.exec_driver_sql(owned).scalar_one()
        if sequence is None:
            sequence = free_name(self._connection, f"{self._table}_id_seq")
            self._run(f"CREATE SEQUENCE {sequence}", "id")
            self._run(f"ALTER SEQUENCE {sequence} OWNED BY {self._table}.id", "id")
            self._alter("id", f"SET DEFAULT nextval('{sequence}')")
        elif not any(one.name == "id" and one.fills_itself for one in self._columns()):
            self._alter("id", f"SET DEFAULT nextval('{sequence}')")
        self._run(
            f"SELECT setval('{sequence}', greatest((SELECT coalesce(max(id), 0) + 1"
            f" FROM {self._table}), (SELECT last_value + is_called::int FROM {sequence})), false)",
            "id",
        )
        if any(key.is_key_of(["id"]) and key.is_primary for key in self._indexes()):
            return
        self._run(
            f"UPDATE {self._table} AS old SET id = DEFAULT WHERE id IS NULL OR EXISTS (SELECT 1"
            f" FROM {self._table} AS other WHERE other.id = old.id AND other.ctid > old.ctid)",
            "id",
        )

    def _remove_repeats(self) -> None:
        """Of rows that a broken key let repeat, the one written last is right."""
        order = "id DESC" if self._shape.primary == "id" else "ctid DESC"
        for key in self._shape.keys:
            self._delete(
                "ctid IN (SELECT ctid FROM (SELECT ctid, row_number() OVER"
                f" (PARTITION BY {', '.join(key)} ORDER BY {order}) AS place"
                f" FROM {self._table}) AS ranked WHERE place > 1)"
            )

    def _delete(self, where: str) -> None:
        """Delete rows; refused if rows of somebody else's tables would go or change with them."""
        with self._named():
            found = self._connection.exec_driver_sql(f"DELETE FROM {self._table} WHERE {where}")
        followers = followers_of(self._connection, self._table) if found.rowcount else []
        if followers:
            raise StoreError(
                f"Таблица DataLens {self._name}: повторы и строки без дня или клиники нужно"
                f" удалить, но с ними изменятся строки чужих таблиц: {', '.join(followers)};"
                " снимите этот внешний ключ и повторите medai db upgrade"
            )

    def _tighten(self) -> None:
        for name, text in self._shape.texts.items():
            self._alter(name, f"SET DEFAULT '{text}'")
        for name in (self._shape.primary, *self._shape.filled):
            self._alter(name, "SET NOT NULL")
        if "created_at" in self._shape.columns:
            self._alter("created_at", "SET DEFAULT now()")

    def _add_keys(self) -> None:
        for columns in self._shape.keys:
            indexes = self._indexes()
            if any(index.is_key_of(columns) for index in indexes):
                continue
            kind, named = "UNIQUE", ""
            if columns == (self._shape.primary,):
                kind = "UNIQUE" if any(one.is_primary for one in indexes) else "PRIMARY KEY"
            elif relation_kind(self._connection, f"public.uq_{self._name}") is None:
                named = f"CONSTRAINT uq_{self._name} "
            self._run(f"ALTER TABLE {self._table} ADD {named}{kind} ({', '.join(columns)})")

    def _add_indexes(self) -> None:
        for name, columns in self._shape.indexes.items():
            if not any(one.plain and [*one.columns] == [*columns] for one in self._indexes()):
                schema = self._table.rpartition(".")[0]
                free = free_name(self._connection, f"{schema}.{name}").rpartition(".")[2]
                self._run(f"CREATE INDEX {free} ON {self._table} ({', '.join(columns)})")

    def _alter(self, column: str, action: str) -> None:
        self._run(f"ALTER TABLE {self._table} ALTER COLUMN {_quoted(column)} {action}", column)

    def _ours(self) -> list[FoundColumn]:
        return [column for column in self._columns() if column.name in self._shape.columns]

    def _columns(self) -> list[FoundColumn]:
        return columns_of(self._connection, self._table)

    def _indexes(self) -> list[FoundIndex]:
        return indexes_of(self._connection, self._table)

    def _run(self, statement: str, column: str = "") -> None:
        with self._named(column):
            self._connection.exec_driver_sql(statement)

    @contextmanager
    def _named(self, column: str = "") -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise refusal(error, self._table, column) from error


def _escaped(statement: str) -> str:
    return statement.replace("%", "%%")


def _is_text(kind: str) -> bool:
    """Values that differ are different texts."""
    return kind == "text" or kind.startswith("character varying")
