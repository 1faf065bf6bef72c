"""Why a table cannot be brought to its shape, in words that name it and never a value of it."""

from psycopg import errors
from sqlalchemy.exc import DBAPIError, OperationalError

from medai.errors import StoreError

_AGAIN = "повторите medai db upgrade"
_QUOTES_VALUES = (errors.DataError, errors.IntegrityError)
"""Their texts repeat what stands in the rows."""


def refusal(error: DBAPIError, table: str = "", column: str = "") -> StoreError:
    """The failure of a statement about a table, or about one of its columns."""
    where = f"Таблица DataLens {table.rpartition('.')[2]}" if table else "Таблицы DataLens"
    where += f", столбец {column}" if column else ""
    cause = error.orig
    if isinstance(error, OperationalError):
        return unreachable(error)
    if isinstance(cause, errors.InsufficientPrivilege):
        return StoreError(f"{where}: дайте пользователю базы права владельца таблиц и {_AGAIN}")
    if not isinstance(cause, errors.Error):
        return StoreError(f"{where}: PostgreSQL отказывает, {_AGAIN}")
    detail = _one_line(cause.diag.message_detail)
    if isinstance(cause, errors.DependentObjectsStillExist):
        return StoreError(
            f"{where}: прежний ключ нужно сменить, но на него опирается чужой объект: удалите его,"
            f" выполните medai db upgrade и создайте его снова ({detail})"
        )
    if isinstance(cause, errors.FeatureNotSupported) and detail.startswith("rule "):
        # 'rule _RETURN on view own depends on column "source"'
        return StoreError(
            f"{where}: нужен другой тип, но столбец читает представление: удалите его, выполните"
            f" medai db upgrade и создайте его снова ({detail})"
        )
    said = ", ".join(filter(None, _without_values(cause, detail)))
    return StoreError(f"{where}: PostgreSQL отказывает ({said}): исправьте это и {_AGAIN}")


def unreachable(error: Exception) -> StoreError:
    """The server is away, or somebody holds what the migration needs."""
    if isinstance(getattr(error, "orig", error), errors.LockNotAvailable):
        return StoreError(
            "Таблицы DataLens заняты другим подключением: завершите его"
            f" (его покажет pg_stat_activity) и {_AGAIN}"
        )
    return StoreError("PostgreSQL недоступен: таблицы DataLens не созданы, проверьте POSTGRES_*")


def _without_values(cause: errors.Error, detail: str) -> list[str]:
    if isinstance(cause, _QUOTES_VALUES):
        named = [cause.diag.constraint_name, cause.diag.column_name]
        return [type(cause).__name__, *(name or "" for name in named)]
    return [_one_line(cause.diag.message_primary), detail]


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())
