"""The role DataLens connects as: it reads the metrics and nothing else."""

import re
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.sql import SQL, Composable, Identifier, Literal

from medai.datalens.tables import BOARDS, METADATA, SCHEMA
from medai.errors import ConflictError, InvalidInputError, StoreError
from medai.infra.postgres import Pool, store_errors

SHORTEST_PASSWORD = 16
_NAME = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,62}")
_NOT_OURS = ("postgres", "public", "none")
"""Names that PostgreSQL keeps for itself or gives to its owner."""
_MARK = "medai: reads the metrics, made by medai db reader"
_CONNECTIONS = 20
_LONGEST_STATEMENT = "60s"

_OBJECTS = """
SELECT DISTINCT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, n.nspname, c.relname
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attacl IS NOT NULL
WHERE EXISTS (SELECT FROM aclexplode(c.relacl) AS acl WHERE acl.grantee = %(role)s::regrole)
    OR EXISTS (SELECT FROM aclexplode(a.attacl) AS acl WHERE acl.grantee = %(role)s::regrole)"""
_SCHEMAS = """
SELECT nspname FROM pg_namespace
WHERE EXISTS (SELECT FROM aclexplode(nspacl) AS acl WHERE acl.grantee = %(role)s::regrole)"""
_MEMBERSHIPS = "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = %(role)s::regrole"


_MAKE_OBJECTS = (
    "lo_creat(integer)", "lo_create(oid)", "lo_from_bytea(oid, bytea)",
)  # fmt: skip
"""The ways to make large objects: every role has them through PUBLIC."""
_LEFT = """
SELECT 'временные таблицы' WHERE has_database_privilege(%(role)s, current_database(), 'TEMP')
UNION ALL SELECT 'большие объекты'
WHERE has_function_privilege(%(role)s, 'lo_create(oid)', 'EXECUTE')"""


async def make_reader(pool: Pool, role: str, password: str) -> list[str]:
    """Create the role, or make an existing one of ours what it has to be, with this password.

    It may log in, and select from the tables and views of the metrics, later ones included. The
    password leaves this process only as a SCRAM verifier. Returns what it may make besides, because
    everybody may and our own user may not forbid it (Russian words).

    Raises InvalidInputError for a bad name or a short password, ConflictError for a role that
    somebody else made, StoreError when the server is away or our own user may not make roles.
    """
    if not _NAME.fullmatch(role) or role in _NOT_OURS:
        raise InvalidInputError(
            "Имя роли: латинские строчные буквы, цифры и _, например datalens;"
            " имена PostgreSQL (postgres, pg_…) заняты"
        )
    if len(password) < SHORTEST_PASSWORD:
        raise InvalidInputError(f"Пароль роли короче {SHORTEST_PASSWORD} символов: задайте длиннее")
    try:
        with store_errors():
            async with pool.connection() as connection, connection.transaction():
                return await _Reader(connection, role).make(password)
    except psycopg.errors.InsufficientPrivilege as error:
        raise StoreError(
            "Нет прав на создание роли: дайте пользователю PostgreSQL право CREATEROLE"
            " и владение схемой public"
        ) from error


class _Reader:
    def __init__(self, connection: AsyncConnection[tuple[Any, ...]], role: str) -> None:
        self._connection = connection
        self._role = role
        self._names: dict[str, Composable] = {
            "role": Identifier(role),
            "schema": Identifier(SCHEMA),
            "database": Identifier(connection.info.dbname),
        }

    async def make(self, password: str) -> list[str]:
        await self._run("SELECT pg_advisory_xact_lock(hashtextextended('medai.reader', 0))")
        found = await self._rows(
            "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = %(role)s"
        )
        if not found:
            await self._run("CREATE ROLE {role}")
            await self._run("COMMENT ON ROLE {role} IS {mark}", mark=Literal(_MARK))
        elif found[0][0] != _MARK:
            raise ConflictError("Такая роль уже есть и заведена не этой командой: дайте другое имя")
        await self._bound()
        await self._take_everything()
        await self._give()
        await self._take_from_everybody()
        await self._set_password(password)
        return [str(row[0]) for row in await self._rows(_LEFT)]

    async def _bound(self) -> None:
        await self._run(
            "ALTER ROLE {role} LOGIN INHERIT CONNECTION LIMIT {limit}",
            limit=Literal(_CONNECTIONS),
        )
        # Only who has a right may speak of it, since PostgreSQL 16.
        for right in ("createdb", "createrole"):
            has = f"SELECT FROM pg_roles WHERE rolname = %(role)s AND rol{right}"
            if await self._rows(has):
                await self._run(f"ALTER ROLE {{role}} NO{right.upper()}")
        await self._run("ALTER ROLE {role} SET default_transaction_read_only = on")
        await self._run("ALTER ROLE {role} SET search_path = {schema}")
        limit = Literal(_LONGEST_STATEMENT)
        await self._run("ALTER ROLE {role} SET statement_timeout = {limit}", limit=limit)

    async def _take_everything(self) -> None:
        for kind, schema, name in await self._rows(_OBJECTS):
            revoke = f"REVOKE ALL ON {kind} {{object}} FROM {{role}}"
            await self._run(revoke, object=Identifier(schema, name))
        for (schema,) in await self._rows(_SCHEMAS):
            await self._run("REVOKE ALL ON SCHEMA {one} FROM {role}", one=Identifier(schema))
        for (other,) in await self._rows(_MEMBERSHIPS):
            await self._run(f"REVOKE {other} FROM {{role}}")  # regrole quotes what has to be quoted

    async def _give(self) -> None:
        await self._run("GRANT CONNECT ON DATABASE {database} TO {role}")
        await self._run("GRANT USAGE ON SCHEMA {schema} TO {role}")
        for name in (*(table.name for table in METADATA.sorted_tables), *BOARDS):
            await self._run("GRANT SELECT ON {one} TO {role}", one=Identifier(SCHEMA, name))
        # Nothing but our migrations makes tables in this schema as this user.
        await self._run(
            "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT ON TABLES TO {role}"
        )
        if await self._rows("SELECT WHERE has_schema_privilege(%(role)s, 'public', 'CREATE')"):
            # Databases born before PostgreSQL 15 let everybody create.
            await self._run("REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC")

    async def _take_from_everybody(self) -> None:
        """What a role gets through PUBLIC no revocation from the role takes back. Our own user
        needs temporary tables for the export."""
        await self._if_allowed("GRANT TEMP ON DATABASE {database} TO CURRENT_USER")
        await self._if_allowed("REVOKE TEMP ON DATABASE {database} FROM PUBLIC")
        for function in _MAKE_OBJECTS:
            await self._if_allowed(f"REVOKE EXECUTE ON FUNCTION pg_catalog.{function} FROM PUBLIC")

    async def _if_allowed(self, statement: str) -> None:
        try:
            async with self._connection.transaction():
                await self._run(statement)
        except psycopg.errors.InsufficientPrivilege:
            pass  # told by `_LEFT`

    async def _set_password(self, password: str) -> None:
        """As a verifier: the server's log and its activity view never hold the password."""
        encrypted = self._connection.pgconn.encrypt_password(
            password.encode(), self._role.encode(), b"scram-sha-256"
        )
        verifier = Literal(encrypted.decode())
        await self._run("ALTER ROLE {role} PASSWORD {verifier}", verifier=verifier)

    async def _run(self, statement: str, **parts: Composable) -> None:
        await self._connection.execute(SQL(statement).format(**self._names, **parts))

    async def _rows(self, query: str) -> list[tuple[Any, ...]]:
        cursor = await self._connection.execute(query.encode(), {"role": self._role})
        return await cursor.fetchall()
