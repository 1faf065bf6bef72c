"""What PostgreSQL's catalog says of tables that may have been made or changed by others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

_KIND = "SELECT relkind::text FROM pg_class WHERE oid = to_regclass(%s)"
_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef,
    a.attidentity <> '', a.attgenerated <> '',
    a.attidentity <> '' OR coalesce(
        pg_get_expr(d.adbin, d.adrelid) ~ '(nextval|gen_random_uuid|uuid_generate_v[14])[(]', false)
FROM pg_attribute AS a
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum"""
_KEYS = """
SELECT format('%%I.%%I', n.nspname, x.relname), quote_ident(c.conname), i.indisprimary,
    i.indisunique,
    i.indpred IS NULL AND i.indexprs IS NULL AND i.indisvalid AND i.indimmediate,
    ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
        JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number
        WHERE k.place <= i.indnkeyatts ORDER BY k.place)
FROM pg_index AS i
JOIN pg_class AS x ON x.oid = i.indexrelid JOIN pg_namespace AS n ON n.oid = x.relnamespace
LEFT JOIN pg_constraint AS c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u')
WHERE i.indrelid = to_regclass(%s)
ORDER BY x.relname"""
_TAKES_ALONG = """
SELECT conname || ' (' || conrelid::regclass || ')' FROM pg_constraint
WHERE confrelid = to_regclass(%s) AND contype = 'f' AND confdeltype IN ('c', 'n', 'd')"""


@dataclass(frozen=True, slots=True)
class FoundColumn:
    """A column as it is; `kind` is what `format_type` says, `counts` that its default never gives
    a value twice."""

    name: str
    kind: str
    required: bool
    has_default: bool
    is_identity: bool
    is_generated: bool
    counts: bool

    @property
    def fills_itself(self) -> bool:
        """A row that does not name the column is not refused."""
        return self.has_default or self.is_identity


@dataclass(frozen=True, slots=True)
class FoundIndex:
    """An index as it is; a `plain` one is of whole rows and columns, and checked at once.

    `name` and `constraint` are quoted for statements."""

    name: str
    constraint: str | None
    is_primary: bool
    is_unique: bool
    plain: bool
    columns: Sequence[str]

    def is_key_of(self, columns: Iterable[str]) -> bool:
        """Whether it makes exactly these columns unique, in any order."""
        return self.is_unique and self.plain and set(self.columns) == set(columns)


def relation_kind(connection: Connection, name: str) -> str | None:
    """PostgreSQL's `relkind` ("r" a table, "v" a view), None when nothing has the name."""
    return connection.exec_driver_sql(_KIND, (name,)).scalar()


def columns_of(connection: Connection, table: str) -> list[FoundColumn]:
    """In their order."""
    return [FoundColumn(*row) for row in connection.exec_driver_sql(_COLUMNS, (table,))]


def indexes_of(connection: Connection, table: str) -> list[FoundIndex]:
    """Keys and other indexes, by name."""
    return [FoundIndex(*row) for row in connection.exec_driver_sql(_KEYS, (table,))]


def followers_of(connection: Connection, table: str) -> list[str]:
    """Foreign keys that change rows of other tables when a row of this one is deleted."""
    return list(connection.exec_driver_sql(_TAKES_ALONG, (table,)).scalars())


def free_name(connection: Connection, wanted: str) -> str:
    """The name, or the first with a number behind it, that nothing in its schema has."""
    name, number = wanted, 0
    while relation_kind(connection, name) is not None:
        number += 1
        name = f"{wanted}{number}"
    return name
