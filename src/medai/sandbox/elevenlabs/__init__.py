"""A simulator of ElevenLabs Speech-to-Text."""
