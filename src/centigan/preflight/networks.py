"""Whether the weights are there that the judge and the features need."""

import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from centigan.catalogue import METRICS, all_files, applying, subject_of_settings
from centigan.data.ilsvrc2012 import SORTED_IDS
from centigan.errors import UserError
from centigan.layout import Layout, split_names
from centigan.manifest import DIGESTS, read_facts
from centigan.preflight.findings import Finding, good, problem
from centigan.settings import Settings
from centigan.weights import URLS, NoDownload, download, in_cache, require_answer

# the rules, and the metrics, whose jobs load the judge,
BY_JUDGE = {"judge", *(name for name, metric in METRICS.items() if "judge" in metric.reads)}
# and the network of the features
BY_FEATURES = {"features", "features_of_real"}
BY_FEATURES |= {name for name, metric in METRICS.items() if "judge_of_features" in metric.reads}
INSTEAD = (
    "judge.name: efficientnet-lite0, which is shipped and knows ImageNet's classes by WordNet ids, "
    "too, or auto, which learns the classes"
)


class Wanted(NamedTuple):
    """A network whose weights are published elsewhere."""

    key: str  # "features.network"
    network: str
    given: str | None  # the setting that names a file
    instead: str


def of_weights(wanted: Iterable[Wanted], *, fetch: bool) -> Iterator[Finding]:
    """What is said of each network that something is still to be made with.

    Args:
        wanted: such networks.
        fetch: whether to download what is absent, for jobs that may run where there is no network; else the
            place where it is published is only asked.
    """
    wanted = list(wanted)
    if not wanted:
        yield good("weights: none is needed that a package does not have")
    for one in wanted:
        yield _of_network(one, fetch=fetch)


def _of_network(wanted: Wanted, *, fetch: bool) -> Finding:
    url, section = URLS[wanted.network], wanted.key.partition(".")[0]
    name = f"{wanted.key}: {wanted.network}"
    path = in_cache(url) if wanted.given is None else Path(wanted.given)
    if path.is_file():
        return good(f"{name}: weights at {path}")
    if wanted.given is not None:
        return problem(f"{name}: {section}.weights names {path}, and there is no such file")
    try:
        if fetch:
            print(f"fetch the weights of {wanted.network}: {url}", file=sys.stderr)
            download(url, path)
            return good(f"{name}: weights at {path}")
        require_answer(url)
    except (NoDownload, UserError) as error:
        return problem(
            f"{name} needs weights that are not at {path} and cannot be downloaded ({error}): fetch {url} "
            f"where there is a network and put it there, or name it in {section}.weights; or choose "
            f"{wanted.instead}"
        )
    return good(f"{name}: weights are not here, and can be downloaded from {url}")


def wanted_by(rules: Collection[str], settings: Settings) -> Iterator[Wanted]:
    """The networks that the jobs of these rules, or of `measure` for these metrics, load."""
    by_judge = BY_JUDGE | (BY_FEATURES if settings.features.network == "judge" else set())
    by_judge = by_judge if settings.data.judged else set()
    return _wanted(settings, judge=not by_judge.isdisjoint(rules), features=not BY_FEATURES.isdisjoint(rules))


def still_wanted(layout: Layout, settings: Settings) -> Iterator[Wanted]:
    """The networks without which some result is missing; points have no judge and no features."""
    if settings.data.kind == "points":
        return iter(())
    splits = split_names(settings.data.classes, settings.data.split_size)
    judged = not settings.data.judged or _judged(layout, settings, splits)
    featured = _featured(layout, settings, splits)
    return _wanted(settings, judge=not judged, features=not featured)


def _wanted(settings: Settings, *, judge: bool, features: bool) -> Iterator[Wanted]:
    name, network = settings.judge.name, settings.features.network
    can_judge = settings.data.classes <= len(SORTED_IDS)  # else another judge is wanted, not weights
    if judge and name in URLS and can_judge:
        yield Wanted("judge.name", name, settings.judge.weights, INSTEAD)
    if features and network in URLS:
        own, shipped = "judge, the experiment's own", "efficientnet-lite0, which is shipped"
        instead = f"features.network: {own if settings.data.judged else shipped}"
        yield Wanted("features.network", network, settings.features.weights, instead)


def _judged(layout: Layout, settings: Settings, splits: list[str]) -> bool:
    """Whether this judge has judged everything."""
    made = _made_with(layout.judge, "name", settings.judge.name)
    return made and all(path.is_file() for path in _measured(BY_JUDGE, layout, settings, splits))


def _featured(layout: Layout, settings: Settings, splits: list[str]) -> bool:
    """Whether this network has seen everything."""
    network = settings.features.network
    folders = [folder for split in splits for folder in (layout.features(split), layout.real_features(split))]
    return all(path.is_file() for path in _measured(BY_FEATURES, layout, settings, splits)) and all(
        _made_with(folder, "network", network) for folder in folders
    )


def _measured(words: set[str], layout: Layout, settings: Settings, splits: list[str]) -> list[Path]:
    """The files of the metrics among these words that apply."""
    metrics = applying(METRICS, subject_of_settings(settings)).keys() & words
    return all_files(sorted(metrics), layout, splits)


def _made_with(folder: Path, fact: str, value: str) -> bool:
    try:
        return (folder / DIGESTS).is_file() and read_facts(folder).get(fact) == value
    except UserError:  # damaged is as good as absent: it is made again
        return False
