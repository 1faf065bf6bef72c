"""All Russian words of the bot: functions that return Telegram's HTML, foreign texts escaped."""
