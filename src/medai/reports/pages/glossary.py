"""The glossary of one report: only the terms that it uses."""

from medai.reports.glossary import BOOKINGS, FUNNEL, GLOSSARY, LOSSES, POINTS, SCORE, TYPES, WEEK
from medai.reports.pages.parts import Part


def glossary_part(report: Part) -> list[Part]:
    """Terms of the report's document, in the order of the glossary."""
    left_out = _unused(report)
    return [{"term": term, "text": text} for term, text in GLOSSARY if term not in left_out]


def _unused(report: Part) -> set[str]:
    used = {
        SCORE: not report["empty"],
        BOOKINGS: not report["empty"],
        TYPES: not report["empty"],
        FUNNEL: bool(report["funnel"]["rows"]),
        LOSSES: bool(report["losses"]["rows"]),
        WEEK: any(section["parts"] for section in report["criteria"]),
        POINTS: any("п." in card["change"]["text"] for card in report["cards"]),
    }
    return {term for term, is_used in used.items() if not is_used}
