"""Types of the files that routes give out, as answers and as their description."""

from typing import Any

AUDIO_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav", "ogg": "audio/ogg", "m4a": "audio/mp4"}
"""By file extension."""
OTHER_TYPE = "application/octet-stream"

BINARY = {"schema": {"type": "string", "format": "binary"}}
AUDIO_CONTENT: dict[str, Any] = dict.fromkeys((*AUDIO_TYPES.values(), OTHER_TYPE), BINARY)
"""`content` of an answer that is a recording, for OpenAPI."""
