"""Fixtures of all tests, one plugin per area."""

pytest_plugins = [
    "tests.fixtures.sandbox_dialogues",
]
