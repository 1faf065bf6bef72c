"""Faults of Telegram belong to the bot, which does not exist yet; they are listed openly."""

import importlib.util

import pytest
from tests.fixtures.faults import kinds_of


@pytest.mark.parametrize("kind", sorted(kinds_of("telegram")))
def test_no_bot_meets_this_fault_yet(kind: str) -> None:
    """Fails as soon as there is a bot: then the kind needs a test like those of other targets."""
    assert importlib.util.find_spec("medai.integrations.telegram") is None, kind
