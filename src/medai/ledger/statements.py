"""The ledger's SQL. One row per request; the rules of its states stand in the WHERE clauses."""

from medai.ledger.models import Effect

COLUMNS = tuple(Effect.model_fields)
"""The columns in the order of the model's fields."""

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('medai.ledger', 0))"

SCHEMA = (
    "CREATE SCHEMA IF NOT EXISTS ledger",
    """
CREATE TABLE IF NOT EXISTS ledger.effects (
    id text PRIMARY KEY,
    kind text NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    client_id text NOT NULL,
    call_id text,
    state text NOT NULL CHECK (state IN ('requested', 'done', 'unknown', 'failed')),
    requested_at timestamptz NOT NULL,
    lease_until timestamptz NOT NULL,
    finished_at timestamptz,
    provider_ref text,
    seconds numeric NOT NULL,
    channels integer NOT NULL,
    input_tokens bigint NOT NULL,
    cached_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cost numeric NOT NULL,
    currency text NOT NULL,
    reason text,
    decision text,
    decided_by text,
    decided_at timestamptz
)
""",
    "CREATE INDEX IF NOT EXISTS effects_clinic ON ledger.effects (client_id, requested_at)",
    "CREATE INDEX IF NOT EXISTS effects_call ON ledger.effects (call_id, requested_at)",
    "CREATE INDEX IF NOT EXISTS effects_under_way ON ledger.effects (lease_until)"
    " WHERE state = 'requested'",
    "CREATE INDEX IF NOT EXISTS effects_unknown ON ledger.effects (kind, requested_at)"
    " WHERE state = 'unknown'",
)

_NAMES = ", ".join(COLUMNS)
_KEPT = ("id", "decision", "decided_by", "decided_at")
"""A line that is taken up again still says what was decided about it before."""
_TAKEN_UP = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name not in _KEPT)

ENTER = f"""
INSERT INTO ledger.effects AS line ({_NAMES})
VALUES ({", ".join(f"%({name})s" for name in COLUMNS)})
ON CONFLICT (id) DO UPDATE SET {_TAKEN_UP} WHERE line.state IN ('requested', 'failed')
RETURNING id
"""  # noqa: S608 - names of our own columns

_TOUCHED = "greatest({0}.requested_at, {0}.finished_at, {0}.decided_at)"
RESTORE = f"""
INSERT INTO ledger.effects AS line ({_NAMES})
VALUES ({", ".join(f"%({name})s" for name in COLUMNS)})
ON CONFLICT (id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in COLUMNS)}
WHERE {_TOUCHED.format("excluded")} > {_TOUCHED.format("line")}
"""  # noqa: S608 - names of our own columns

DECLARE_ALL = f"""
DECLARE lines NO SCROLL CURSOR FOR
SELECT {_NAMES} FROM ledger.effects ORDER BY id COLLATE "C"
"""  # noqa: S608
FETCH_ALL = "FETCH 500 FROM lines"

# A late answer ends every doubt; a late refusal ends a doubt but not what is known.
SETTLE = """
UPDATE ledger.effects
SET state = %(state)s,
    finished_at = %(now)s,
    reason = %(reason)s,
    provider_ref = coalesce(%(provider_ref)s, provider_ref),
    seconds = coalesce(%(seconds)s, seconds),
    channels = coalesce(%(channels)s, channels),
    input_tokens = coalesce(%(input_tokens)s, input_tokens),
    cached_tokens = coalesce(%(cached_tokens)s, cached_tokens),
    output_tokens = coalesce(%(output_tokens)s, output_tokens),
    cost = coalesce(%(cost)s, cost)
WHERE id = %(id)s
  AND (state IN ('requested', 'unknown') OR (state = 'failed' AND %(state)s = 'done'))
RETURNING provider, currency, cost
"""

EXPIRE = """
UPDATE ledger.effects
SET state = 'unknown', finished_at = %(now)s, reason = 'abandoned'
WHERE state = 'requested' AND lease_until <= %(now)s
RETURNING id
"""

DECIDE = """
UPDATE ledger.effects
SET decision = %(decision)s, decided_by = %(by)s, decided_at = %(now)s
WHERE id = %(id)s
RETURNING id
"""

BY_IDS = f"SELECT {_NAMES} FROM ledger.effects WHERE id = ANY(%(ids)s)"  # noqa: S608

OF_CALL = f"""
SELECT {_NAMES} FROM ledger.effects WHERE call_id = %(call_id)s ORDER BY requested_at, id
"""  # noqa: S608

UNKNOWN = f"""
SELECT {_NAMES} FROM ledger.effects
WHERE kind = %(kind)s AND state = 'unknown'
  AND (decided_at IS NULL OR decided_at < requested_at)
ORDER BY requested_at, id
"""  # noqa: S608

# The windows of business days come from outside: there is one truth about time zones.
SUMS = """
SELECT wanted.day, line.kind, line.currency, line.state, count(*), sum(line.seconds),
       sum(line.input_tokens)::bigint, sum(line.cached_tokens)::bigint,
       sum(line.output_tokens)::bigint, sum(line.cost)
FROM unnest(%(days)s::date[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
     AS wanted (day, start_at, end_at)
JOIN ledger.effects AS line
  ON line.client_id = %(client_id)s
 AND line.requested_at >= wanted.start_at AND line.requested_at < wanted.end_at
GROUP BY wanted.day, line.kind, line.currency, line.state
ORDER BY wanted.day, line.kind, line.currency, line.state
"""
