"""Judges: the classifiers that say which class an image shows. One file each, the same furniture."""

from centigan.judges.choose import load_judge, train_judge
from centigan.judges.table import JUDGES, Judge

__all__ = ["JUDGES", "Judge", "load_judge", "train_judge"]
