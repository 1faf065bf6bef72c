"""Fixtures of all tests, one plugin per area."""

pytest_plugins = [
    # Imported by other plugins, so they come first: pytest must rewrite their asserts.
    "tests.fixtures.sandbox",
    "tests.fixtures.sandbox_dialogues",
    "tests.fixtures.amocrm",
    "tests.fixtures.stores",
    "tests.fixtures.loopback",
    "tests.fixtures.small_crm",
    "tests.fixtures.small_crm_server",
    "tests.fixtures.application",
    "tests.fixtures.clinic_at_work",
    "tests.fixtures.service",
]
