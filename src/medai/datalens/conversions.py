"""Values of a column that somebody gave another type, as the type the contract gives it."""

import re
from typing import Final

FUNCTIONS: Final = (
    """
CREATE OR REPLACE FUNCTION pg_temp.medai_day(value text) RETURNS date LANGUAGE plpgsql AS $$
BEGIN
    IF value ~ '^[0-9]{1,2}[.][0-9]{1,2}[.][0-9]{4}' THEN
        RETURN to_date(value, 'DD.MM.YYYY');
    END IF;
    RETURN nullif(trim(value), '')::date;
EXCEPTION WHEN data_exception THEN RETURN NULL;
END $$""",
    """
CREATE OR REPLACE FUNCTION pg_temp.medai_number(value text) RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN
    RETURN nullif(replace(trim(value), ',', '.'), '')::numeric;
EXCEPTION WHEN data_exception THEN RETURN NULL;
END $$""",
    """
CREATE OR REPLACE FUNCTION pg_temp.medai_truth(value text) RETURNS boolean LANGUAGE sql AS $$
    SELECT CASE
        WHEN lower(trim(value)) IN ('true', 't', '1', 'yes', 'да', 'эффективный') THEN true
        WHEN lower(trim(value)) IN ('false', 'f', '0', 'no', 'нет', 'неэффективный') THEN false
    END
$$""",
    """
CREATE OR REPLACE FUNCTION pg_temp.medai_list(value text) RETURNS text[] LANGUAGE plpgsql AS $$
BEGIN
    IF value LIKE '[%%' THEN
        RETURN ARRAY(SELECT jsonb_array_elements_text(value::jsonb));
    ELSIF value LIKE '{%%' THEN
        RETURN value::text[];
    END IF;
    RETURN string_to_array(value, chr(10));
EXCEPTION WHEN data_exception THEN RETURN ARRAY[value];
END $$""",
)
"""Made for the session of a migration; a value that cannot be read becomes NULL. Percent signs are
doubled for the driver."""

_ACCEPTED: Final[dict[str, tuple[str, ...]]] = {
    "integer": ("integer", "bigint", "numeric"),
    "numeric": ("numeric",),
    "date": ("date",),
    "boolean": ("boolean",),
    "text": ("text", "character varying"),
    "text[]": ("text[]", "character varying[]"),
    "timestamp with time zone": ("timestamp with time zone",),
}
"""What holds every value of a type; so it stays."""
_LIMITED = re.compile(r"character varying\((\d+)\)")


def conversion(name: str, kind: str, wanted: str) -> str | None:
    """The expression for ALTER COLUMN TYPE, or None when the column can stay as it is.

    Both kinds are as `format_type` says them, for example "character varying(255)".
    """
    if _holds(kind, wanted):
        return None
    text = f"array_to_string({name}, ', ')" if kind.endswith("[]") else f"{name}::text"
    by_kind = {
        "integer": f"round(pg_temp.medai_number({text}))::integer",
        "numeric": f"pg_temp.medai_number({text})",
        "date": f"pg_temp.medai_day({text})",
        "boolean": f"pg_temp.medai_truth({text})",
        "text[]": f"pg_temp.medai_list({text})",
        # The replaced system ran on UTC.
        "timestamp with time zone": f"{name}::timestamp AT TIME ZONE 'UTC'",
    }
    return by_kind.get(wanted, text)


def _holds(kind: str, wanted: str) -> bool:
    limit, has = _LIMITED.fullmatch(wanted), _LIMITED.fullmatch(kind)
    if limit:
        return kind in _ACCEPTED["text"] or bool(has and int(has[1]) >= int(limit[1]))
    return kind in _ACCEPTED[wanted]
