"""What people say: blocks of lines per criterion and score level, data only.

A block has one spoken line per text line. "А: " is the administrator, "П: " the patient. Marks
before the colon: "!" the line proves the block's score, "~" a patient's name may be put in front.
Names in braces are filled from the call's facts.
"""

from collections.abc import Mapping

Blocks = tuple[str, ...]
Levels = Mapping[int, Blocks]
