"""The course of a conversation for each call type."""
