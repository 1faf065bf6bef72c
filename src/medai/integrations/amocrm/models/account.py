"""How an account is set up: pipelines, custom fields, users (amocrm.md 7-8)."""

from dataclasses import dataclass, field
from typing import Self

from .lenient import JsonObject, embedded, flag, integer, mapping, objects, text


@dataclass(frozen=True, slots=True)
class Status:
    """A pipeline's status. `type` 1 is the unsorted one that receives new requests."""

    id: int
    name: str
    sort: int
    type: int
    pipeline_id: int | None

    @classmethod
    def parse(cls, row: JsonObject) -> Self | None:
        """The status, or None without an id."""
        if (status_id := integer(row.get("id"))) is None:
            return None
        sort, kind = integer(row.get("sort")) or 0, integer(row.get("type")) or 0
        pipeline_id = integer(row.get("pipeline_id"))
        return cls(status_id, text(row.get("name")), sort, kind, pipeline_id)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A sales pipeline with its statuses in display order."""

    id: int
    name: str
    sort: int
    is_main: bool
    is_archive: bool
    statuses: tuple[Status, ...]
    raw: JsonObject = field(repr=False, compare=False)

    @classmethod
    def parse(cls, row: JsonObject) -> Self | None:
        """The pipeline, or None without an id."""
        if (pipeline_id := integer(row.get("id"))) is None:
            return None
        statuses = (Status.parse(item) for item in embedded(row, "statuses"))
        return cls(
            id=pipeline_id,
            name=text(row.get("name")),
            sort=integer(row.get("sort")) or 0,
            is_main=flag(row.get("is_main")) or False,
            is_archive=flag(row.get("is_archive")) or False,
            statuses=tuple(sorted(filter(None, statuses), key=lambda status: status.sort)),
            raw=row,
        )


@dataclass(frozen=True, slots=True)
class EnumValue:
    """One choice of a list field."""

    id: int
    value: str
    sort: int


@dataclass(frozen=True, slots=True)
class CustomField:
    """A custom field's definition; `enums` is empty for free input."""

    id: int
    name: str
    type: str
    code: str
    enums: tuple[EnumValue, ...]
    raw: JsonObject = field(repr=False, compare=False)

    @classmethod
    def parse(cls, row: JsonObject) -> Self | None:
        """The field, or None without an id."""
        if (field_id := integer(row.get("id"))) is None:
            return None
        name, kind, code = (text(row.get(key)) for key in ("name", "type", "code"))
        enums = tuple(
            EnumValue(enum_id, text(item.get("value")), integer(item.get("sort")) or 0)
            for item in objects(row.get("enums"))
            if (enum_id := integer(item.get("id"))) is not None
        )
        return cls(field_id, name, kind, code, enums, row)


@dataclass(frozen=True, slots=True)
class User:
    """A person who works in the CRM."""

    id: int
    name: str = field(repr=False)
    email: str = field(repr=False)
    is_active: bool
    is_admin: bool
    raw: JsonObject = field(repr=False, compare=False)

    @classmethod
    def parse(cls, row: JsonObject) -> Self | None:
        """The user, or None without an id. Absent `is_active` counts as active."""
        if (user_id := integer(row.get("id"))) is None:
            return None
        rights = mapping(row.get("rights"))
        active, admin = flag(rights.get("is_active")), flag(rights.get("is_admin"))
        return cls(
            user_id,
            text(row.get("name")),
            text(row.get("email")),
            active is not False,
            admin or False,
            row,
        )


@dataclass(frozen=True, slots=True)
class Account:
    """The account. `timezone` is an IANA name or empty.

    `is_api_filter_enabled` is the paid filter option of amocrm.md 2.4; None: not told.
    """

    id: int
    name: str = field(repr=False)
    subdomain: str
    timezone: str
    is_api_filter_enabled: bool | None
    raw: JsonObject = field(repr=False, compare=False)

    @classmethod
    def parse(cls, row: JsonObject) -> Self | None:
        """The account, or None without an id."""
        if (account_id := integer(row.get("id"))) is None:
            return None
        inner = mapping(row.get("_embedded"))
        clock = mapping(row.get("datetime_settings")) or mapping(inner.get("datetime_settings"))
        return cls(
            id=account_id,
            name=text(row.get("name")),
            subdomain=text(row.get("subdomain")),
            timezone=text(clock.get("timezone")) or text(row.get("timezone")),
            is_api_filter_enabled=flag(row.get("is_api_filter_enabled")),
            raw=row,
        )
