"""Memory of a server that answers each visitor in a thread of its own."""

import ctypes
import sys

M_ARENA_MAX = -8  # of glibc's malloc.h


def share_memory_between_threads() -> None:
    """Let threads use what others gave back, where the C library is glibc.

    It would otherwise give each thread memory of its own and keep it, and Streamlit starts a thread
    for each action of a visitor.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt:
            mallopt(M_ARENA_MAX, 1)
