"""Fixtures of all tests, one plugin per area."""

pytest_plugins = [
    "tests.fixtures.amocrm",
    "tests.fixtures.stores",
    "tests.fixtures.loopback",
    "tests.fixtures.sandbox",
    "tests.fixtures.sandbox_dialogues",
    "tests.fixtures.small_crm",
    "tests.fixtures.small_crm_server",
]
