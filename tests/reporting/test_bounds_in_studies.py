"""What a study says of likelihoods: which are exact and which are bounds, of what kind."""

from pathlib import Path

import pandas as pd
import pytest
from reporting.test_studies import measured

from centigan.errors import UserError
from centigan.reporting.studies import write_study
from centigan.reporting.studies.bounds import mark, told
from centigan.reporting.studies.results import StudyResults
from centigan.reporting.studies.table import cells

LIKELIHOODS = """
of: digits
axes:
  - experiment: [acgan, cgan]
  - train.seed: [0, 1]
columns: [bits_per_dim/held_out, bits_per_dim/held_out/gaussian, fid/generated]
over: [train.seed]
"""


def with_bounds(root: Path, bounds: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> StudyResults:
    """A study whose rows have 3.25 bits, of this kind."""
    monkeypatch.setattr("centigan.study_points._never_measured", lambda *_: [])  # GANs tell no likelihood
    names = ("bits_per_dim/held_out", "bits_per_dim/held_out/gaussian", "fid/generated")
    results = measured(
        root, LIKELIHOODS, {f"{row}-{n}": dict.fromkeys(names, 3.25) for row in bounds for n in (0, 1)}
    )
    for point in results.points:
        path = results.of(point).layout.metric("bits_per_dim", "00")
        path.parent.mkdir(parents=True)
        pd.DataFrame({"bound": [bounds[point.row]]}).to_parquet(path)
    return results


def test_a_bound_is_never_called_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = with_bounds(tmp_path, {"acgan": "elbo", "cgan": "exact"}, monkeypatch)
    assert [cell.text for cell in cells(results, "acgan")] == ["≤ 3.250 ± 0.000", "3.25 ± 0", "3.25 ± 0.00"]
    assert cells(results, "cgan")[0].text == "3.250 ± 0.000"
    write_study(results)
    page = results.layout.report.read_text()
    assert (
        "acgan: an upper bound, by single draws of the encoder (ELBO); cgan: exact. ≤ marks a bound" in page
    )
    assert "≤: an upper bound" not in page
    latex = results.layout.table("tex").read_text()
    assert r"$\leq$ 3.250 $\pm$ 0.000" in latex
    assert r"$\leq$: an upper bound." in latex
    assert "≤" not in results.layout.table().read_text() + results.layout.points.read_text()


def test_a_mean_of_which_a_part_is_a_bound_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = with_bounds(tmp_path, {"acgan": "exact", "cgan": "dequantised"}, monkeypatch)
    first = results.of(results.points[0]).layout.metric("bits_per_dim", "00")
    pd.DataFrame({"bound": ["iwae"]}).to_parquet(first)
    assert mark(results, "acgan", "bits_per_dim/held_out") == "≤ "
    assert told(results) == [
        ("an upper bound, by importance samples", ["acgan"]),
        ("exact", ["acgan"]),
        ("an upper bound on those of bytes, by the density over their bins", ["cgan"]),
    ]
    first.unlink()
    with pytest.raises(UserError, match=r"bits_per_dim/00.parquet"):
        mark(results, "acgan", "bits_per_dim/held_out")
