"""A simulator of the OpenAI API."""
