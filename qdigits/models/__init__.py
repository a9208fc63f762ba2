"""The networks, and the files they live in."""
