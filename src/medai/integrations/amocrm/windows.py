"""Time filters."""

import math
from datetime import datetime


def window(name: str, start: datetime, end: datetime) -> list[tuple[str, str]]:
    """`filter[<name>][from|to]` in unix seconds, rounded outwards.

    Whether the edges belong to the result is not documented (amocrm.md 3.1): overlap windows and
    store by id. Raises ValueError for naive times.
    """
    if start.tzinfo is None or end.tzinfo is None:
        raise ValueError("naive datetime: attach a time zone first")
    first, last = math.floor(start.timestamp()), math.ceil(end.timestamp())
    return [(f"filter[{name}][from]", str(first)), (f"filter[{name}][to]", str(last))]
