"""How many threads OpenCV takes."""

import cv2


def use_one_thread() -> None:
    """Keep OpenCV to the thread that calls it, where pictures are worked on side by side.

    Its own threads would spin between the small steps of a picture: cutting out the digits of a
    page then takes twice the processor time, and no less time on the clock.
    """
    cv2.setNumThreads(1)
