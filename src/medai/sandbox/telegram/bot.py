"""The simulated bot account: chats, updates, commands and webhook."""

from typing import Any

from medai.sandbox.state import Sandbox
from medai.sandbox.telegram.chats import Chats
from medai.sandbox.telegram.updates import Updates


class Bot:
    """Everything that Telegram knows of the bot."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.updates = Updates()
        self.chats = Chats(sandbox.clock)
        self.commands: list[dict[str, Any]] = []
        self.webhook: dict[str, Any] = {"url": ""}

    def reset(self) -> None:
        """No chats, no updates; a poll under way goes on with the new queue after 409."""
        self.updates.stop_poller()
        self.updates = Updates()
        self.chats = Chats(self.sandbox.clock)
        self.commands = []
        self.webhook = {"url": ""}
