"""Adding up what requests consumed."""

from collections.abc import Iterable

from medai.analysis.models import Usage


def total(usages: Iterable[Usage]) -> Usage:
    """The sum of all counters."""
    counted = list(usages)
    return Usage(
        input_tokens=sum(each.input_tokens for each in counted),
        cached_tokens=sum(each.cached_tokens for each in counted),
        output_tokens=sum(each.output_tokens for each in counted),
        requests=sum(each.requests for each in counted),
    )
