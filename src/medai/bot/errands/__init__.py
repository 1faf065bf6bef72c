"""Work that takes longer than a tap: carried out beside the dialogue, seen in one message."""
