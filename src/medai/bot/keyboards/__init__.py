"""Buttons of the bot's screens."""
