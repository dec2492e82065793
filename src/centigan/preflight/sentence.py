"""Whether the published sentence encoder is there, package and weights, where captions are read by it."""

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from centigan.errors import UserError
from centigan.layout import Layout, split_names
from centigan.manifest import DIGESTS
from centigan.preflight.findings import Finding, good, problem
from centigan.settings import Settings
from centigan.settings.families.contract import ByCaption
from centigan.settings.text import TextSettings
from centigan.weights import NoDownload, require_answer

BY_ENCODER = {"text", "embed"}  # the rules whose jobs load it
PACKAGE, HUB = "sentence_transformers", "https://huggingface.co"


def still_embedded(layout: Layout, settings: Settings) -> bool:
    """Whether captions that the model is told are still to be embedded."""
    if not isinstance(settings.model, ByCaption):
        return False
    splits = split_names(settings.data.classes, settings.data.split_size)
    folders = [layout.text, *(layout.captions(split) for split in splits)]
    return not all((folder / DIGESTS).is_file() for folder in folders)


def of_sentence_encoder(settings: Settings, *, wanted: object, fetch: bool) -> Iterator[Finding]:
    """What is said of it where something is still to be made with it; both that lack are said at once.

    Args:
        wanted: true where something is.
        fetch: whether to download weights that are absent, for jobs that may run where there is no network.
    """
    text = settings.text
    if text.encoder != "sentence" or not wanted:
        return
    installed = find_spec(PACKAGE) is not None
    if not installed:
        yield problem(
            "text.encoder: sentence needs the package sentence-transformers, which is not here: pip install "
            "'centigan[sentence]'; or choose text.encoder: bow"
        )
    yield _of_weights(text, fetch=fetch and installed)


def _of_weights(text: TextSettings, *, fetch: bool) -> Finding:
    name = f"text.sentence_model: {text.sentence_model}"
    if Path(text.sentence_model).is_dir():
        return good(f"{name}: a folder")
    place = in_hub_s_cache(text)
    if place.is_dir():
        return good(f"{name}: weights at {place}")
    url = f"{HUB}/{text.sentence_model}/resolve/{text.sentence_revision}/config.json"
    try:
        if fetch:
            _download(text)
            return good(f"{name}: downloaded")
        require_answer(url)
    except (NoDownload, UserError) as error:
        return problem(
            f"{name} needs weights that are not at {place} and cannot be downloaded ({error}): run once "
            "where there is a network (HF_HOME moves the cache), name a folder that holds them, or choose "
            "text.encoder: bow"
        )
    return good(f"{name}: weights are not here, and can be downloaded from {HUB}/{text.sentence_model}")


def in_hub_s_cache(text: TextSettings) -> Path:
    """Where huggingface_hub keeps what it has downloaded of the model at this commit."""
    caches = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("HF_HOME", f"{caches}/huggingface")
    hub = Path(os.environ.get("HF_HUB_CACHE", f"{home}/hub")).expanduser()
    return hub / f"models--{text.sentence_model.replace('/', '--')}" / "snapshots" / text.sentence_revision


def _download(text: TextSettings) -> None:
    """Load the network once, which puts it into the Hub's cache.

    Raises:
        UserError: when it cannot be had.
    """
    from centigan.text.sentence import Published

    print(f"fetch the weights of {text.sentence_model}", file=sys.stderr)
    _ = Published(text.sentence_model, text.sentence_revision).published
