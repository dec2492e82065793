"""The folder of experiments/ that is proposed for own data: each value has its reason, none is replaced."""

import json
from pathlib import Path

from centigan.atomic import write_text
from centigan.data.ilsvrc2012 import SORTED_IDS
from centigan.errors import UserError, plural
from centigan.layout import split_names
from centigan.params import PROTOCOL_FILE, parse
from centigan.preflight.proposal import Found
from centigan.settings import OF_STUDIES, Named, Settings
from centigan.settings.evaluation import DistributionSettings, InceptionScoreSettings
from centigan.settings.limits import most_neighbours
from centigan.settings.training import SampleSettings
from centigan.weights import URLS, NoDownload, in_cache, require_answer

SAMPLES = 100  # of a class, where the paper's 1000 would be many times the real images
KID_SHARE = 0.8  # of the smallest set in a subset: of whole sets all subsets would be the same
FEATURES = "inception-2015"
CROP_OF_FACES = """  crop: 148  # as experiments/celeba cuts them
  crop_down: 5
"""
MODELS = {  # resolution -> what a laptop can train
    32: """model:  # the demo's: half the paper's maps, four times its learning rate
  width: 0.5
  activation_noise: 0.0
  generator_lr: 8.0e-4
  discriminator_lr: 8.0e-4

train:  # the demo's: five minutes for two splits on two CPU cores
  batch_size: 50
  iterations: 3000
  log_every: 25
  checkpoint_every: 500
  snapshot_every: 250
""",
    64: """model:  # that of photos: a third of the paper's maps, twice its learning rate
  width: 0.33
  activation_noise: 0.0
  generator_lr: 4.0e-4
  discriminator_lr: 4.0e-4

train:  # that of photos: 30 minutes for two splits on two CPU cores
  batch_size: 50
  iterations: 7000
  log_every: 50
  checkpoint_every: 500
  snapshot_every: 500
""",
}
TOLD_CAPTIONS = """model:  # that of captioned_shapes: half the paper's maps
  family: gan_cls
  width: 0.5

train:  # that of captioned_shapes: 17 minutes on two CPU cores at 32 px, where a batch is 50
  batch_size: 50
  iterations: 8000
  ema: 0.99
  log_every: 25
  checkpoint_every: 500
  snapshot_every: 250
  snapshot_per_class: 2
"""


def write_experiment(name: str, found: Found, experiments: Path) -> Path:
    """Write the folder experiments/<name> with a protocol and an experiment; it must not be there.

    Raises:
        UserError: for a name that cannot be, or is taken.
    """
    folder = folder_of(name, experiments)
    texts = {PROTOCOL_FILE: protocol_text(found), f"{found.model}.yaml": experiment_text(found)}
    try:
        folder.mkdir()
    except FileExistsError:  # since it was looked for
        raise _taken(folder) from None
    for file, text in texts.items():
        write_text(folder / file, text)
    return folder


def folder_of(name: str, experiments: Path) -> Path:
    """The folder of a protocol of that name, before it is looked for what it could say.

    Raises:
        UserError: for a name that cannot be, or is taken.
    """
    named = parse(Named, {"experiment": name}, "the new experiment")
    if named.experiment != named.protocol:
        raise UserError(f"the new experiment: {name} has a `/`; name its protocol, such as {named.protocol}")
    folder = experiments / named.protocol
    if folder.exists():
        raise _taken(folder)
    if not experiments.is_dir():
        raise UserError(f"{experiments} is missing; run from the project's folder")
    return folder


def _taken(folder: Path) -> UserError:
    return UserError(f"{folder} is there and stays as it is; choose another name")


def protocol_text(found: Found) -> str:
    """All sections, those that differ from params.yaml with their reasons."""
    parts = [_data(found), _arrays(found), _sample(found), _judge(found), _distribution(found)]
    named = {line.partition(":")[0] for part in parts for line in part.splitlines()}
    rest = [
        section
        for section in Settings.model_fields
        if section not in {*named, "experiment", "figures", OF_STUDIES}
    ]
    said = "".join(f"{section}: {{}}\n" for section in rest)
    parts.append(f"# as params.yaml has them; DVC asks for each by name\n{said}")
    return "\n".join(part for part in parts if part)


def experiment_text(found: Found) -> str:
    """The model and its training."""
    return f"{_model(found)}\n# DVC asks for these by name\nsupervision: {{}}\nsplits: {{}}\n"


def _data(found: Found) -> str:
    classes, size = len(found.classes), found.split_size
    splits = len(split_names(classes, size))
    share = ""
    if found.share is not None:
        least = f"{found.held_out_of_class} images of the smallest"
        share = f"  held_out: {found.share:g}  # of each class, for measuring: {least}\n"
    return (
        f"# {classes} {plural('class', classes)}, {found.train:,} images to train on and "
        f"{found.held_out:,} held out; "
        f"{splits} {plural('split', splits)}, a model each.\n"
        "# Proposed by `centigan new`: change what you like, and `centigan check` says whether it can run.\n"
        "data:\n"
        f"  source: {found.source}\n"
        f"  root: {json.dumps(found.root, ensure_ascii=False)}\n"
        f"  classes: {classes}\n"
        f"  split_size: {size}  # {_why_split(found)}\n{share}"
    )


def _why_split(found: Found) -> str:
    if found.captioned:
        return "all classes are one model's: it is told captions"
    return "classes that one model learns; the paper's: 10"


def _arrays(found: Found) -> str:
    cost = "" if found.large else "; on a CPU every doubling costs four times as much"
    why = f"32, 64 or 128; the images have {found.side} px{cost}"
    crop = CROP_OF_FACES if found.source == "celeba" else ""
    return f"arrays:\n  resolution: {found.resolution}  # {why}\n{crop}"


def _model(found: Found) -> str:
    if found.large:
        own = "{family: gan_cls}" if found.captioned else "{}"
        return (
            "# params.yaml's are the paper's model and its 50,000 iterations, for so many images, on a GPU;\n"
            f"# hours: docs/experiments.md\nmodel: {own}\ntrain: {{}}\n"
        )
    if found.captioned:
        return TOLD_CAPTIONS.replace("batch_size: 50", f"batch_size: {_batch_size(found)}")
    return MODELS[found.resolution].replace("batch_size: 50", f"batch_size: {_batch_size(found)}")


def _batch_size(found: Found) -> int:
    """The demo's, or as many as the smallest split has at least."""
    size = found.split_size
    smallest = len(found.classes) - size * (len(split_names(len(found.classes), size)) - 1)
    seen = smallest - found.unseen if found.captioned else smallest
    return max(2, min(50, seen * found.train_of_class))


def _sample(found: Found) -> str:
    if found.large:
        return ""
    return f"sample:\n  per_class: {SAMPLES}  # the paper's: 1000\n"


def _judge(found: Found) -> str:
    said = ""  # one class has no judge
    if found.classes == list(SORTED_IDS):
        judge = "inception-v3" if _at_hand("inception-v3") else "efficientnet-lite0"
        said = f"judge:\n  name: {judge}  # knows these classes; the paper's: inception-v3\n"
    elif len(found.classes) > 1:
        said = "judge:\n  name: auto  # learns these classes from the real images\n"
    if found.large and _at_hand(FEATURES):
        return said + f"\nfeatures:\n  network: {FEATURES}  # what published scores are computed with\n"
    if len(found.classes) == 1:
        return (
            "features:\n  network: efficientnet-lite0  # no download; published scores: "
            f"{FEATURES}. One class has no judge\n"
        )
    return said + (
        "\nfeatures:\n  network: judge  # no download, and scores compare within this protocol alone; "
        f"published ones: {FEATURES}\n"
    )


def _distribution(found: Found) -> str:
    """Measurements of sets that are smaller than the defaults ask for."""
    usual, groups = DistributionSettings(), InceptionScoreSettings().select_groups
    per_class = SampleSettings().per_class if found.large else SAMPLES
    smallest = min(found.train, found.held_out, per_class * len(found.classes))
    lines = []
    if (size := max(2, int(KID_SHARE * smallest))) < usual.kid_subset_size:
        lines.append(f"  kid_subset_size: {size}  # of the {smallest:,} images of the smallest set\n")
    if (most := most_neighbours(min(found.train_of_class, found.held_out_of_class))) < usual.neighbours:
        lines.append(f"  neighbours: {most}  # all that the smallest class has images for\n")
    said = "distribution:\n" + "".join(lines) if lines else ""
    if smallest < groups:
        said += f"\ninception_score:\n  select_groups: {smallest}  # a group needs an image\n"
    return said


def _at_hand(network: str) -> bool:
    """Whether weights are in torch's cache or can be downloaded into it."""
    try:
        if not in_cache(URLS[network]).is_file():
            require_answer(URLS[network])
    except NoDownload:
        return False
    return True
