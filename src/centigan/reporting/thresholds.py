"""Where the paper draws its lines; nothing is imported here, so that a figure loads no more than it draws."""

INACCURATE = 0.01  # section 4.3
LOW_FACTOR = 4  # the paper compares 128 with 32
