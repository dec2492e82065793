"""The words under each figure: what it shows, and which figure of the paper it answers.

Read by the page and by the Snakefile, so nothing is imported here; what depends on the run (judge,
counts) stands in `protocol`.
"""

CAPTIONS: dict[str, str] = {
    "accuracy_by_resolution": (
        "Share of images that the judge names correctly, after shrinking them to the resolution below "
        "by bilinear interpolation and back; the dashed line marks the model's own resolution, an error "
        "bar is the standard deviation over subsets of the images (Figure 3, bottom left, of the AC-GAN "
        "paper)."
    ),
    "accuracy_by_class": (
        "Accuracy of each class's samples at the model's resolution (x) and shrunk to a quarter of it "
        "(y); a class below the line is better recognised with all its pixels (Figure 3, bottom right)."
    ),
    "ms_ssim_by_class": (
        "Mean MS-SSIM between random pairs of images of one class, real training images (x) against "
        "samples (y); high means alike. A class under the red line, the most uniform real class, is more "
        "diverse than that one (Figure 5, left)."
    ),
    "ms_ssim_in_training": (
        "Mean MS-SSIM within each class through training, from samples drawn as the model learns. "
        "Red: classes that end above the most uniform real class, the sign of a collapsed generator "
        "(Figure 5, right)."
    ),
    "accuracy_and_ms_ssim": (
        "Each class's accuracy against its MS-SSIM: whether samples are accurate at the cost of "
        "diversity. Lines mark the paper's thresholds, MS-SSIM 0.25 and accuracy 1 %, which were chosen "
        "for ImageNet (Figure 6)."
    ),
    "training_curves": (
        "Losses of discriminator and generator, and how often D tells real from generated and names the "
        "class, per logged batch; faint: every split, strong: their mean. The paper shows no such figure."
    ),
    "gallery": (
        "The first samples of every class, one row a class, in the order drawn: none was selected "
        "(Appendix E)."
    ),
}
