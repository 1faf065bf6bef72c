"""`medai demo`: one business day of two fictional clinics through the whole flow."""

from medai.cli.demo.command import register

__all__ = ["register"]
