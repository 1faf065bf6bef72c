"""Simulators of amoCRM, the recording host, ElevenLabs, OpenAI and Telegram with a known truth.

The sandbox knows the truth; the product must not. Only `cli/demo`, `cli/sandbox` and tests import
this package; the product reaches it over HTTP like any provider.
"""
