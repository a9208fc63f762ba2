"""The sizes and thresholds that several files of this folder share, once, with their units."""

# MNIST's framing of a digit (pixels)
TILE_SIZE = 28
DIGIT_BOX = 20  # the longest side of a digit on its tile
TILE_CENTRE = 14  # where its centre of mass lies, from the left and from the top

# An ink map has 0 for paper and up to 255 for ink. Two thresholds, as in hysteresis thresholding:
LOW_THRESHOLD = 72  # ink on the edge of a stroke
HIGH_THRESHOLD = 128  # ink that every real stroke reaches somewhere

# Working size of a photograph (longest side, pixels): larger ones are shrunk, smaller ones enlarged
MAX_WORKING_SIDE = 2000
MIN_WORKING_SIDE = 28
PAPER_SIDE = 128  # the sheet itself changes slowly: this many pixels show it

# What is read at all
MAX_PIXELS = 50_000_000
MAX_FILE_BYTES = 100_000_000
