"""Handlers: read what a person wants, ask their seat, show a screen."""
