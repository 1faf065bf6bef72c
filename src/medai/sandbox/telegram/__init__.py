"""A simulator of the Telegram Bot API."""
