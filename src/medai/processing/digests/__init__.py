"""What people are told without asking: read from the stores, decided by the rules of `digests`."""
