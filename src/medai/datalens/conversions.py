"""Values of a column that somebody gave another type, as the type the contract gives it."""

import re
from typing import Final

FUNCTIONS: Final = (
    """
CREATE OR REPLACE FUNCTION pg_temp.medai_day(value text) RETURNS date LANGUAGE plpgsql AS $$
DECLARE day date;
BEGIN
    IF value ~ '^[0-9]{1,2}[.][0-9]{1,2}[.][0-9]{4}' THEN
        RETURN to_date(value, 'DD.MM.YYYY');
    END IF;
    day := nullif(trim(value), '')::date;
    RETURN CASE WHEN isfinite(day) THEN day END;
EXCEPTION WHEN data_exception THEN RETURN NULL;
END $$""",
    """
CREATE OR REPLACE FUNCTION pg_temp.medai_moment(value text) RETURNS timestamptz
LANGUAGE plpgsql AS $$
DECLARE moment timestamptz;
BEGIN
    moment := nullif(trim(value), '')::timestamptz;
    RETURN CASE WHEN isfinite(moment) THEN moment END;
EXCEPTION WHEN data_exception THEN RETURN NULL;
END $$""",
    """
CREATE OR REPLACE FUNCTION pg_temp.medai_number(value text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE number numeric;
BEGIN
    number := nullif(replace(trim(value), ',', '.'), '')::numeric;
    RETURN CASE WHEN number NOT IN ('NaN', 'Infinity', '-Infinity') THEN number END;
EXCEPTION WHEN data_exception THEN RETURN NULL;
END $$""",
    """
CREATE OR REPLACE FUNCTION pg_temp.medai_whole(value text, limits int8range) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE number bigint;
BEGIN
    number := round(pg_temp.medai_number(value))::bigint;
    RETURN CASE WHEN number <@ limits THEN number END;
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
"""Made for the session of a migration; a value that cannot be read becomes NULL, and so do what is
no number, infinities and what does not fit. Percent signs are doubled for the driver."""

_ACCEPTED: Final[dict[str, tuple[str, ...]]] = {
    "integer": ("integer", "bigint", "numeric"),
    "bigint": ("bigint", "numeric"),
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
        "integer": f"pg_temp.medai_whole({text}, '[-2147483648,2147483647]')::integer",
        "bigint": f"pg_temp.medai_whole({text}, '(,)')",
        "numeric": f"pg_temp.medai_number({text})",
        "date": f"pg_temp.medai_day({text})",
        "boolean": f"pg_temp.medai_truth({text})",
        "text[]": f"pg_temp.medai_list({text})",
        # The replaced system ran on UTC, and so does the session of a migration.
        "timestamp with time zone": f"coalesce(pg_temp.medai_moment({text}), now())",
    }
    return by_kind.get(wanted, text)


def _holds(kind: str, wanted: str) -> bool:
    limit, has = _LIMITED.fullmatch(wanted), _LIMITED.fullmatch(kind)
    if limit:
        return kind in _ACCEPTED["text"] or bool(has and int(has[1]) >= int(limit[1]))
    return kind in _ACCEPTED[wanted]
