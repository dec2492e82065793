"""Where the paper draws its lines; nothing is imported here, so that a figure loads no more than it draws."""

LOW_DIVERSITY = 0.25  # section 4.3; the highest mean MS-SSIM of a class of ImageNet's training images
INACCURATE = 0.01  # section 4.3
LOW_FACTOR = 4  # the paper compares 128 with 32
