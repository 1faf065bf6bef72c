"""The failure of writing metrics."""

from typing import ClassVar

from medai.errors import MedaiError


class MetricsExportError(MedaiError):
    """Some days could not be written; the others were."""

    code: ClassVar[str] = "metrics_export"
