"""People who talk to the bot: which clinics they belong to, as whom, and who let them in."""
