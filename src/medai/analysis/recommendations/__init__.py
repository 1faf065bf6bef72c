"""Conclusions of a week or a month from what was advised and scored in its calls (contract 7)."""
