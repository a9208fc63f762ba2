"""How many threads OpenCV takes."""

import cv2


def use_one_thread() -> None:
    """Keep OpenCV to the thread that calls it, where pictures are worked on side by side.

    Its own threads would spin between the small steps of a picture: reading a page then took a
    fifth more of the processor, and no less time.
    """
    cv2.setNumThreads(1)
