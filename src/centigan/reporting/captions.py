"""The words under each figure: what it shows, and which figure of the paper it answers.

Read by the page and by the Snakefile, so nothing is imported here; what depends on the run (judge,
counts) stands in `protocol`.
"""

CAPTIONS: dict[str, str] = {
    "examples": (
        "The first samples of a few classes, one row a class, in the order drawn: none was selected "
        "(AC-GAN, Figure 1)."
    ),
    "resolution_strip": (
        "One held-out real image and one sample of a class, shrunk to each resolution and enlarged again "
        "by bilinear interpolation; under each, how many images of that class the judge names correctly "
        "at that resolution (AC-GAN, Figure 3, top)."
    ),
    "accuracy_by_resolution": (
        "Share of images that the judge names correctly, after shrinking them to the resolution below "
        "by bilinear interpolation and back; the dashed line marks the model's own resolution, an error "
        "bar is the standard deviation over subsets of the images. Models of other experiments are drawn in "
        "where the settings name them (AC-GAN, Figure 3, bottom left)."
    ),
    "accuracy_by_class": (
        "Accuracy of each class's samples at the model's resolution (x) and shrunk to a quarter of it "
        "(y); a class below the line is better recognised with all its pixels (AC-GAN, Figure 3, bottom "
        "right)."
    ),
    "ms_ssim_examples": (
        "The classes whose samples are most alike and those whose samples differ most, by mean MS-SSIM "
        "between pairs: the first samples above the first training images, mean MS-SSIM of either beside "
        "them (AC-GAN, Figure 4)."
    ),
    "ms_ssim_by_class": (
        "Mean MS-SSIM between random pairs of images of one class, real training images (x) against "
        "samples (y); high means alike. A class under the red line, the most uniform real class, is more "
        "diverse than that one (AC-GAN, Figure 5, left)."
    ),
    "ms_ssim_pairs": (
        "MS-SSIM of every pair behind the means of Figure 5, left. Above: all classes' pairs together. "
        "Below: in each class the median, the middle half and the middle 90 % of its pairs, classes in the "
        "order of their medians. The bar at 0 holds pairs whose structure is opposed (docs/protocols.md)."
    ),
    "ms_ssim_in_training": (
        "Mean MS-SSIM within each class through training, from samples drawn as the model learns. "
        "In red: classes whose final samples, as Figure 5, left, measures them, are less diverse than the "
        "most uniform real class: the sign of a collapsed generator (AC-GAN, Figure 5, right)."
    ),
    "accuracy_and_ms_ssim": (
        "Each class's accuracy against its MS-SSIM: whether samples are accurate at the cost of "
        "diversity. Right of the red line, the most uniform real class, samples are less diverse than any "
        "real class; for AC-GAN's ImageNet that is 0.25. Dashed: that paper's accuracy of 1 %, ten times "
        "chance for its 1000 classes (AC-GAN, Figure 6)."
    ),
    "neighbours_l1": (
        "Of each class, the samples that lie nearest to a training image, and that image, sought among "
        "the class's and among the whole split's: the mean absolute difference of pixels stands below. "
        "A copy would look the same (AC-GAN, Figure 7)."
    ),
    "neighbours_ms_ssim": (
        "The same as by L1, with 1 - MS-SSIM as the distance, which forgives shifts of brightness "
        "(AC-GAN, Figure 10)."
    ),
    "memorisation": (
        "Share of images whose nearest training image of their class, or of their split where samples have "
        "no class, is at most so far away. Were the "
        "training images memorised, samples would lie nearer to them than real images do that the "
        "generator never saw; below the dashed line two images count as the same. AC-GAN's paper states no "
        "such number beside Figure 7."
    ),
    "interpolation": (
        "Images along a straight line between two latents, one walk a class; beside each the largest step "
        "between successive images, as features see it, over the mean step: a leap, as between two "
        "memorised images, would make it large (AC-GAN, Figure 8, left)."
    ),
    "class_grid": (
        "One latent a row, drawn as every class of one model: what z decides, such as pose or background, "
        "should hold along a row (AC-GAN, Figure 8, right)."
    ),
    "reconstructions": (
        "Held-out images, and what the model draws of their codes; below, walks between the codes of two "
        "of them, with the two images at the ends. A code that tells its image gives a small ratio of "
        "distances. AC-GAN's paper shows no such figure."
    ),
    "codes": (
        "Codes of held-out images, coloured by a class that the model may never have been told, over draws "
        "of the prior (grey). Where both lie apart, what is drawn from the prior is not like images. The "
        "paper shows no such figure."
    ),
    "code_neighbours": (
        "Held-out images, each twice, and their nearest training images: by the cosine of the model's own "
        "features, and by pixels. Under an image of another class its class is named. AC-GAN's paper shows "
        "no such figure."
    ),
    "shift": (
        "How far a held-out image is from itself moved by some pixels, over how far it is from another one: "
        "by pixels, and by the model's features. 1 is as far as another image. AC-GAN's paper shows no such "
        "figure."
    ),
    "demonstration": (
        "What the family's own paper shows, drawn of the model of the first split: each sheet says what is "
        "seen. Nothing was selected but by the sheet's own rule."
    ),
    "arithmetic": (
        "Attributes as directions of the latent space: the mean of large things of a kind, less that of "
        "small ones, plus that of small things of another kind, should be a large thing of the other kind. "
        "Below random latents moved from small to large (Radford et al. 2015, Figures 7 and 8)."
    ),
    "plane": (
        "Training points (dark), samples (blue) over D's logit, or the critic's value, of every place; red "
        "is more real. On a line: the density of both, D beside them, and below where G takes each z."
    ),
    "density": (
        "Training points (dark) and samples (blue) over the logarithm of the model's density, in nats, of "
        "every place; the brighter, the denser. Light between modes is density that no data have, a mode in "
        "the dark is one that was dropped. On a line: the density itself (Lucas et al. 2019, section 3)."
    ),
    "circles": (
        "How k-means, RIM (the same network without a generator) and the model divide the plane, and the "
        "points of two circles by their labels; above each, the share that it divides as the labels do."
    ),
    "plane_in_training": (
        "Samples (blue) of the same latents after so many iterations, over training points (grey): what "
        "a generator finds, loses and finds again."
    ),
    "random_samples": (
        "Samples drawn at random, with a fixed seed, among those of all classes (AC-GAN, Figure 9)."
    ),
    "training_curves": (
        "What the family tells of its steps, per logged batch: losses, and of adversaries how often D tells "
        "real from generated and, where it names classes, the class. Strong: the mean of the splits, faint: "
        "every split, or the middle 90 % of more than ten. AC-GAN's paper shows no such figure."
    ),
    "gallery": (
        "The first samples of every class, one row a class, in the order drawn: none was selected "
        "(AC-GAN, Appendix E)."
    ),
}
