"""From a figure back to the raw data."""

import hashlib
import json
from pathlib import Path

from staleness.project import RESULTS, SHARED, Project

FIGURE = f"{RESULTS}/figures/gallery.svg"


def test_the_chain_names_every_rule_hash_and_setting(computed: Project) -> None:
    told = computed.run("centigan", "provenance", FIGURE, "--all")
    rules = [line.partition(":")[0] for line in told.splitlines() if line and line[0] != " "]
    assert rules[0] == "raw data"
    assert rules.index("index") < rules.index("arrays") < rules.index("train") < rules.index("sample")
    assert rules[-1] == "figure"
    for file in (FIGURE, f"{RESULTS}/train/01/generator.safetensors"):
        digest = hashlib.sha256((computed.folder / file).read_bytes()).hexdigest()
        assert f"{digest}  {file}" in told
    for word in ('"iterations": 2', "device cpu", "seed 0", "torch 2", "class folders in data/raw/mine"):
        assert word in told
    assert computed.run("git", "rev-list", "--max-parents=0", "HEAD")[:12] in told  # before any result
    assert "dirty" not in told


def test_a_file_that_changed_since_is_marked(computed: Project, tmp_path: Path) -> None:
    project = computed.copy(tmp_path / "elsewhere")
    (project.folder / SHARED / "classes.csv").write_text("other")
    (project.folder / SHARED / "source.json").unlink()
    told = project.run("centigan", "provenance", FIGURE, "--all")
    assert f"{SHARED}/classes.csv  has changed since" in told
    assert f"{SHARED}/source.json  is not here" in told


def test_the_crate_links_every_file_to_the_action_that_made_it(computed: Project, tmp_path: Path) -> None:
    project = computed.copy(tmp_path / "elsewhere")
    project.run("centigan", "provenance", FIGURE, "--crate")
    crate = json.loads((project.folder / RESULTS / "ro-crate-metadata.json").read_text())
    entities = {entity["@id"]: entity for entity in crate["@graph"]}
    assert entities["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    made = {part["@id"] for action in entities.values() for part in action.get("result", [])}
    own = {part["@id"] for part in entities["./"]["hasPart"]}
    assert own == {name for name in made if not name.startswith("#")}
    assert {name.removeprefix("#") for name in made - own} >= {
        f"{SHARED}/classes.csv",
        f"{SHARED}/judge/SHA256SUMS",
    }
    for name in own:
        content = (project.folder / RESULTS / name).read_bytes()
        assert entities[name]["sha256"] == hashlib.sha256(content).hexdigest()
    references = [
        part["@id"]
        for action in entities.values()
        if action["@type"] == "CreateAction"
        for part in [*action["object"], *action["result"], action["instrument"], action["agent"]]
    ]
    assert set(references) <= entities.keys()


def test_a_file_that_no_job_wrote_is_refused(computed: Project, tmp_path: Path) -> None:
    project = computed.copy(tmp_path / "elsewhere")
    told = project.run("sh", "-c", f"centigan provenance {RESULTS}/mine.txt 2>&1 || true")
    assert f"no job of mine/tiny has written {RESULTS}/mine.txt" in told
