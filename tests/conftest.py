"""Fixtures of all tests, one plugin per area."""

from hypothesis import HealthCheck, settings

# A property is about values, not about speed: a busy machine must not make it fail.
settings.register_profile("medai", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("medai")

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
    "tests.fixtures.notices",
    "tests.fixtures.faults",
    "tests.fixtures.service",
    "tests.fixtures.crm_doors",
    "tests.fixtures.bot_chat",
]
