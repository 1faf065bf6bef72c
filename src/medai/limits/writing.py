"""The one way limits are written: compare-and-set, then a log line per warning that is new."""

from collections.abc import Callable

import structlog

from medai.clinics.models import Clinic, LimitWarning, MinuteLimits
from medai.clinics.repository import ClinicRepository
from medai.limits import warnings

_log = structlog.get_logger(__name__)

Operation = Callable[[MinuteLimits, Clinic], MinuteLimits]
"""A pure change of limits; may raise, then nothing is written."""


async def change_limits(clinics: ClinicRepository, client_id: str, operation: Operation) -> Clinic:
    """Apply the operation to the clinic's limits; returns the stored clinic.

    Whoever writes a warning is the only one to say it. Raises NotFoundError, ConflictError,
    StoreError and what the operation raises.
    """
    crossed: tuple[LimitWarning, ...] = ()

    def change(clinic: Clinic) -> Clinic:
        nonlocal crossed
        changed = operation(clinic.limits, clinic)
        crossed = warnings.newly(clinic.limits, changed)
        return clinic.model_copy(update={"limits": changed})

    stored = await clinics.change(client_id, change)
    for each in crossed:
        _log.warning(
            "minute limit reached",
            client_id=client_id, period=each.period, key=each.key, percent=each.percent,
        )  # fmt: skip
    return stored
