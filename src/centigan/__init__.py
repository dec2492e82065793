"""centigan: one hundred class-conditional GANs, one reproducible pipeline."""

__version__ = "0.1.0"
