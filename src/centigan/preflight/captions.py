"""What is said of captions, and of classes that no model is trained on, before anything runs."""

from collections.abc import Iterator
from pathlib import Path

from centigan.errors import UserError
from centigan.preflight.counts import Counts
from centigan.preflight.findings import Finding, problem
from centigan.settings import Settings
from centigan.settings.data import DataSettings
from centigan.settings.families.contract import ByCaption
from centigan.settings.sources import having


def of_captions(settings: Settings, counts: Counts | None) -> Iterator[Finding]:
    """Whether a family that is told captions can be; counts: of the protocol, None where unknown yet."""
    model, data = settings.model, settings.data
    if not isinstance(model, ByCaption) or data.kind not in model.learns:
        return
    told, instead = f"model.family: {model.title} is told captions", "or choose a family without captions"
    if data.source == "auto":
        yield problem(f"{told}, and what is made of them is chosen by data.source: {_to_name(data)}")
    elif data.source not in (able := having("captions")):
        yield problem(
            f"{told}, and data.source: {data.source} stands for none; those of {', '.join(able)} have some"
        )
    elif counts and counts.captions == 0:
        yield problem(
            f"{told}, and {data.root} has none: unpack text_c10/ of Reed et al. (2016) beside the images, "
            f"{instead}"
        )
    seen = [one for one in counts.classes if not one.unseen] if counts else []
    if counts and len(counts.classes) > 1 and len(seen) < 2:
        yield problem(
            f"{told}, whose encoder learns to tell classes, and {len(seen)} of {len(counts.classes)} may be "
            f"trained on; all others are unseen: choose other lists of classes, {instead}"
        )


def _to_name(data: DataSettings) -> str:
    """Which line to write, by what lies there."""
    from centigan.data.sources.signs import recognise  # with pandas

    able = having("captions")
    try:
        source = recognise(Path(data.root))
    except (UserError, OSError):  # said of the raw data themselves
        return f"name one of {', '.join(able)}"
    if source in able:
        return f"{data.root} is recognised as that of {source}; write data.source: {source}"
    if source in {"folders", "class-folders"}:
        return (
            f"{data.root} is recognised as {source}; where x.txt lies beside each image x.jpg, write "
            "data.source: captioned_folders"
        )
    return f"{data.root} is recognised as {source}, which stands for none; {', '.join(able)} have some"


def of_unseen(counts: Counts) -> Iterator[Finding]:
    """Whether every split has a class that a model is trained on."""
    seen: dict[str, bool] = {}
    for one in counts.classes:
        if one.split:  # else it is not known yet
            seen[one.split] = seen.get(one.split, False) or not one.unseen
    if lost := [split for split, any_seen in seen.items() if not any_seen]:
        more = f", as have {len(lost) - 1} more splits" if lost[1:] else ""
        yield problem(
            f"split {lost[0]} has unseen classes alone{more}, so that its model would have no images; raise "
            f"data.split_size, up to {len(counts.classes)} for one split of all, or choose another data.order"
        )
