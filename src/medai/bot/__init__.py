"""The Telegram bot: a door like the others, and the messenger of digests and alerts."""
