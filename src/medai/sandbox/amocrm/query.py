"""Query strings with brackets, as PHP reads them: raw or encoded, `[]` or indexed."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl

from medai.sandbox.amocrm.answers import ProblemError

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of a number or a unix time; None = open. Both included unless `exclusive`."""

    low: int | None = None
    high: int | None = None
    exclusive: bool = False

    def __contains__(self, value: int) -> bool:
        step = 1 if self.exclusive else 0
        above = self.low is None or value >= self.low + step
        return above and (self.high is None or value <= self.high - step)


class Query:
    """The parameters of one request."""

    def __init__(self, raw: str) -> None:
        self.raw = raw
        self._items = [(_path(k), v) for k, v in parse_qsl(raw, keep_blank_values=True)]

    @property
    def listing(self) -> tuple[tuple[Path, str], ...]:
        """What makes a listing: everything but the page, its size and the embedded parts."""
        return tuple(item for item in self._items if item[0][0] not in ("page", "limit", "with"))

    def has(self, *prefix: str) -> bool:
        """Whether any parameter starts with these words."""
        return any(path[: len(prefix)] == prefix for path, _ in self._items)

    def values(self, *path: str) -> list[str]:
        """Values of `path`, `path[]` and `path[n]`, in order; empty ones are left out."""
        size = len(path)
        return [
            value
            for found, value in self._items
            if value and found[:size] == path and _is_list_item(found[size:])
        ]

    def listed(self, *path: str) -> list[str]:
        """Values of `values`, with commas understood as separators."""
        return [part for value in self.values(*path) for part in value.split(",") if part]

    def one(self, *path: str) -> str | None:
        """The last value of exactly this parameter."""
        return next((v for found, v in reversed(self._items) if found == path), None)

    def ints(self, *path: str) -> list[int]:
        """`values` as numbers. Raises ProblemError (400)."""
        return [_number(value, path) for value in self.values(*path)]

    def bounds(self, *path: str, exclusive: bool = False) -> Bounds | None:
        """`path[from]` and `path[to]`, or `path` alone as "from"; None when not asked."""
        low = self.one(*path, "from") or self.one(*path)
        high = self.one(*path, "to")
        if not low and not high:
            return None
        ends = [_number(end, path) if end else None for end in (low, high)]
        return Bounds(ends[0], ends[1], exclusive)

    def groups(self, *path: str) -> list[dict[str, str]]:
        """`path[i][key]=value` as one dict per i, in order of appearance."""
        found: dict[str, dict[str, str]] = {}
        for index, key, value in self._deeper(path):
            found.setdefault(index, {})[key] = value
        return list(found.values())

    def order(self, allowed: tuple[str, ...]) -> tuple[str, bool] | None:
        """`order[field]=asc|desc` as (field, descending); unknown fields are ignored."""
        for field in allowed:
            direction = self.one("order", field)
            if direction in ("asc", "desc"):
                return field, direction == "desc"
        return None

    def _deeper(self, path: Path) -> Iterator[tuple[str, str, str]]:
        size = len(path)
        for found, value in self._items:
            if found[:size] == path and len(found) == size + 2:
                yield found[size], found[size + 1], value


def _path(key: str) -> Path:
    head, *rest = key.split("[")
    return (head, *(part.removesuffix("]") for part in rest))


def _is_list_item(rest: Path) -> bool:
    return not rest or (len(rest) == 1 and (not rest[0] or rest[0].isdigit()))


def _number(value: str, path: Path) -> int:
    try:
        return int(value)
    except ValueError as error:
        name = path[0] + "".join(f"[{part}]" for part in path[1:])
        raise ProblemError(400, f"{name} must be an integer") from error
