"""What people are told without asking: the figures of a morning, a week, and what went wrong."""
