"""Our clock beside somebody else's. Pure."""

from datetime import datetime, timedelta

from medai.doctor.findings import Finding, ok, problem, warning

_WARNING = timedelta(seconds=5)
_PROBLEM = timedelta(minutes=1)
"""Tokens, signed links and business days are off by then."""


def compared(check: str, whose: str, theirs: datetime, ours: datetime) -> Finding:
    """How far our clock is from theirs; both aware."""
    apart = abs(ours - theirs)
    seconds = f"{apart.total_seconds():.0f} с"
    advice = "настройте NTP на этой машине"
    if apart > _PROBLEM:
        return problem(check, f"Часы расходятся с часами {whose} на {seconds}: {advice}")
    if apart > _WARNING:
        return warning(check, f"Часы расходятся с часами {whose} на {seconds}: {advice}")
    return ok(check, f"Часы сходятся с часами {whose}")
