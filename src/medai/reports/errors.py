"""The failure of making a report."""

from typing import ClassVar

from medai.errors import MedaiError


class ReportRenderingError(MedaiError):
    """The report's process died or hung, or the layout refused the content."""

    code: ClassVar[str] = "report_rendering"
