"""A photograph to numbers in reading order."""
