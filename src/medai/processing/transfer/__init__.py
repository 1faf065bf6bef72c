"""Everything an installation knows in one file, and back into an empty installation.

Nothing here knows which store the documents lie in: an archive goes from one to the other.
"""
