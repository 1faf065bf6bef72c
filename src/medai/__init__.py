"""MedAI Backend: a clinic's phone calls become transcripts, proven scores, metrics and reports."""

__version__ = "1.0.1"
"""Also what GET /api/status answers; old clients know this one (contract 1)."""
