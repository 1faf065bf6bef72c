"""Time filters."""

import math
from datetime import datetime


def window(name: str, start: datetime | None, end: datetime | None) -> list[tuple[str, str]]:
    """`filter[<name>][from|to]` in unix seconds, rounded outwards; None leaves a side open.

    Whether the edges belong to the result is not documented (amocrm.md 3.1): overlap windows and
    store by id. Raises ValueError for naive times.
    """
    sides: list[tuple[str, str]] = []
    for side, moment, rounded in (("from", start, math.floor), ("to", end, math.ceil)):
        if moment is None:
            continue
        if moment.tzinfo is None:
            raise ValueError("naive datetime: attach a time zone first")
        sides.append((f"filter[{name}][{side}]", str(rounded(moment.timestamp()))))
    return sides
