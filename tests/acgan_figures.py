"""The figures that AC-GAN has: others need what it cannot do."""

from centigan.catalogue import FIGURES, applying, subject_of
from centigan.settings.families.acgan import AcganConfig

ACGAN_FIGURES = list(applying(FIGURES, subject_of(AcganConfig(), classes_of_a_split=2)))
