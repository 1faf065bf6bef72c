"""What the bot keeps in the document store; here, so that naming it does not load the bot."""

from medai.infra.documents import Collection

BOT_DIALOGUES = Collection("bot_dialogues", indexes=(("at",),))
BOT_ERRANDS = Collection("bot_errands", indexes=(("at",),))
BOT_UPDATES = Collection("bot_updates", indexes=(("at",),))
"""Ids of updates that were begun. Telegram keeps updates for 24 hours."""

BOT_COLLECTIONS = (BOT_DIALOGUES, BOT_ERRANDS, BOT_UPDATES)
