"""What the bot writes without being asked: how it looks, how it is sent, the buttons below it."""
