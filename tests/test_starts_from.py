"""Experiments that begin with networks of another one: which one that is, and what cannot be one."""

from pathlib import Path

import pytest

from centigan import params
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.preflight import everything
from centigan.study_points import load_points

FROZEN = "model: {family: frozen_decoder, starts_from: digits/critic, net: dense}\n"
STUDY = """
of: digits
axes:
  - experiment: [critic, frozen]
  - train.seed: [0, 1]
columns: [bits_per_dim/held_out]
over: [train.seed]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = {
        "params.yaml": "experiment: digits/critic\n",
        "experiments/digits/protocol.yaml": "",
        "experiments/digits/critic.yaml": "model: {family: wgan_gp, width: 0.25}\n",
        "experiments/digits/frozen.yaml": FROZEN,
        "experiments/shapes/protocol.yaml": "",
        "experiments/shapes/critic.yaml": "model: {family: wgan_gp}\n",
        "studies/bits.yaml": STUDY,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_an_experiment_knows_the_model_that_it_starts_from(project: Path) -> None:
    model = params.load("digits/frozen", project).model
    assert model.parent == "digits/critic"
    assert model.decoder == params.load("digits/critic", project).model.model_dump(mode="json")
    assert params.load("digits/critic", project).model.parent is None


def test_a_check_asks_of_the_experiment_that_is_trained_first_too(project: Path) -> None:
    """WGAN-GP has no networks for 48 px, and a frozen decoder has."""
    (project / "experiments/digits/protocol.yaml").write_text("arrays: {resolution: 48}\n")
    frozen = params.load("digits/frozen", project)
    wrong = [found.text for found in everything(Layout("digits/frozen", project), frozen) if not found.good]
    (line,) = (text for text in wrong if "48 px" in text)
    assert line.startswith(
        "digits/critic, which this begins with: arrays.resolution: WGAN-GP has no networks"
    )


def test_a_family_says_what_it_starts_from(project: Path) -> None:
    folder = project / "experiments/digits"
    (folder / "described.yaml").write_text("model: {family: gan_cls, cls: 0.25}\n")
    (folder / "style.yaml").write_text("model: {family: style_encoder, starts_from: digits/described}\n")
    model = params.load("digits/style", project).model
    assert (model.parent, model.decoder["cls"]) == ("digits/described", 0.25)


def test_another_width_of_the_one_is_another_model_of_the_other(project: Path) -> None:
    before = params.load("digits/frozen", project)
    (project / "experiments/digits/critic.yaml").write_text("model: {family: wgan_gp, width: 0.5}\n")
    assert params.load("digits/frozen", project) != before


def test_a_point_starts_from_the_point_with_its_values_on_the_other_axes(project: Path) -> None:
    found = load_points("bits", project)
    assert found["digits/bits/frozen-1"].model.parent == "digits/bits/critic-1"
    assert found["digits/bits/frozen-0"].model.parent == "digits/bits/critic-0"


def test_a_study_without_what_a_point_starts_from_is_told_so(project: Path) -> None:
    (project / "studies/bits.yaml").write_text(STUDY.replace("[critic, frozen]", "[frozen]"))
    said = r"frozen.yaml: model.starts_from: frozen-0 .* no point with .* name critic once, beside frozen"
    with pytest.raises(UserError, match=said):
        load_points("bits", project)


def test_several_networks_to_start_from_are_several_files_of_one_axis(project: Path) -> None:
    folder = project / "experiments/digits"
    (folder / "other.yaml").write_text("model: {family: sngan}\n")
    (folder / "other_frozen.yaml").write_text(FROZEN.replace("critic", "other"))
    wanted = "[critic, other, frozen, other_frozen]"
    (project / "studies/bits.yaml").write_text(STUDY.replace("[critic, frozen]", wanted))
    parents = [settings.model.parent for settings in load_points("bits", project).values()]
    own = [f"digits/bits/{name}-{seed}" for name in ("critic", "other") for seed in (0, 1)]
    assert parents == [None] * 4 + own


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("family: frozen_decoder", "starts_from is missing: name an experiment"),
        ("family: frozen_decoder, starts_form: a/b", "missing: model.starts_form is no setting; name an"),
        (
            "family: frozen_decoder, starts_from: [a]",
            r"mine\.yaml: model.starts_from: \[\"a\"\] names no experiment",
        ),
        ("family: frozen_decoder, starts_from: digits", "names no experiment"),
        ("family: frozen_decoder, starts_from: digits/", "names no experiment"),
        ("family: frozen_decoder, starts_from: digits/crytic", "no file .*did you mean `digits/critic`"),
        ("family: frozen_decoder, starts_from: shapes/critic", "is of another protocol than digits/mine"),
        ("family: frozen_decoder, starts_from: digits/frozen", "starts from another one itself"),
        ("family: frozen_decoder, starts_from: digits/mine", "starts from another one itself"),
        ("family: frozen_decoder, starts_from: digits/acgan", "is a AC-GAN, .*these families' do: .*wgan_gp"),
        (
            "family: style_encoder, starts_from: digits/acgan",
            "is a AC-GAN, which is told no captions; these families are: gan_cls$",
        ),
        ("family: frozen_decoder, starts_from: digits/own", "models of its own for single splits"),
        ("family: frozen_decoder, starts_from: digits/critic, decoder: null", "decoder is filled in"),
        (
            "family: frozen_decoder, starts_from: digits/critic, decoder: {family: sngan}",
            "decoder is filled in",
        ),
    ],
)
def test_what_cannot_be_started_from_is_said_with_the_file(project: Path, model: str, message: str) -> None:
    folder = project / "experiments/digits"
    (folder / "acgan.yaml").write_text("model: {family: acgan}\n")
    (folder / "own.yaml").write_text("model: {family: wgan_gp}\nsplits: {0: {model: {width: 0.5}}}\n")
    (folder / "mine.yaml").write_text(f"model: {{{model}}}\n")
    with pytest.raises(UserError, match=message):
        params.load("digits/mine", project)


def test_a_point_has_the_model_of_the_point_that_it_starts_from(project: Path) -> None:
    widths = STUDY.replace("train.seed: [0, 1]", "model.width: [0.25, 0.5]").replace(
        "over: [train.seed]\n", ""
    )
    (project / "studies/bits.yaml").write_text(widths)
    found = load_points("bits", project)
    assert [found[f"digits/bits/frozen-{width}"].model.decoder["width"] for width in (0.25, 0.5)] == [
        0.25,
        0.5,
    ]


def test_several_points_to_start_from_are_none(project: Path) -> None:
    axes = "- {train.iterations: [100, 200, 300], experiment: [critic, critic, frozen]}\n"
    (project / "studies/bits.yaml").write_text(
        f"of: digits\naxes:\n  {axes}columns: [bits_per_dim/held_out]\n"
    )
    with pytest.raises(UserError, match="has 2 points with the same other values"):
        load_points("bits", project)


def test_splits_start_from_one_experiment(project: Path) -> None:
    text = FROZEN + "splits: {0: {model: {starts_from: digits/other}}}\n"
    (project / "experiments/digits/frozen.yaml").write_text(text)
    with pytest.raises(UserError, match=r"splits\.0: model\.starts_from: all splits start"):
        params.load("digits/frozen", project)


def test_other_splits_are_no_beginning(project: Path) -> None:
    study = "of: digits\naxes:\n  - {experiment: [critic]}\n  - grouping.size: [1, 2]\n"
    (project / "studies/sizes.yaml").write_text(study + "columns: [fid/generated]\n")
    text = FROZEN.replace("digits/critic", "digits/sizes/critic-1")
    (project / "experiments/digits/frozen.yaml").write_text(text)
    with pytest.raises(UserError, match="has other splits than digits/frozen"):
        params.load("digits/frozen", project)
