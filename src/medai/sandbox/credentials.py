"""The keys that the simulators accept, so that a wrong key is refused like in life."""

ELEVENLABS_KEY = "sandbox-elevenlabs-key"
OPENAI_KEY = "sandbox-openai-key"
BOT_TOKEN = "42:SANDBOX"  # noqa: S105 - opens nothing but the simulator
