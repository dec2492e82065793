"""dvc.yaml is held to the rules: what Snakemake would notice, DVC does, by the stage that it concerns."""

import re
from pathlib import Path

import pytest
import yaml
from copied import ROOT
from staleness.project import FILE, PROTOCOL_FILE, Project
from staleness.test_identity import SETTINGS, listed, of_one, rules, table

from centigan.fingerprint import PACKAGE, _closure
from centigan.settings import OWN_SECTIONS, Settings
from centigan.settings.families import FAMILIES
from centigan.settings.stages import STAGES

DVC = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
SHARED_FILE, OWN_FILE = "experiments/${protocol}/protocol.yaml", "experiments/${experiment}.yaml"
OF_PROTOCOL = {"data", "judge"}  # stages whose outputs all experiments share
EVERYTHING = set(Settings.model_fields) - {"experiment"}
SPLITS = {"data", "splits"}  # how many there are, and what single ones have otherwise
PLUMBING = ("catalogue.py", "fingerprint.py", "layout.py", "params.py", "settings")  # read by the Snakefile
OF_FILE = {
    "data": "data",
    "judge": "judge",
    "train": "train",
    "sample": "evaluate",
    "metrics": "evaluate",
    "report": "report",
    "study": "study",  # of studies/dvc.yaml
}


def stage_of() -> dict[str, str]:
    """Rule -> dvc.yaml's stage, by the file of rules that it stands in."""
    found = {"publish": "publish"}
    for file, stage in OF_FILE.items():
        text = (ROOT / f"workflow/rules/{file}.smk").read_text()
        found |= dict.fromkeys(re.findall(r"^ *rule (\w+):", text, re.MULTILINE), stage)
    return found


def rules_of(stage: str) -> set[str]:
    return {rule for rule in rules() if stage_of().get(rule) == stage}


def rows_of(rule: str) -> list[str]:
    """Its rows of the table: one, or one a metric."""
    return [row for row in table() if of_one(row) == rule]


def sections(stage: str) -> set[str]:
    """The sections of the settings that the rules of a stage of dvc.yaml depend on."""
    found = {"data"} if stage in OF_PROTOCOL else set(SPLITS)
    for rule in rules_of(stage):
        if rule in {"figure", "report", "publish"}:
            return EVERYTHING
        named = re.findall(r'stage\("(\w+)"\)', rules()[rule])
        found |= {section for name in named for section in STAGES[name].model_fields}
        found |= {section for row in rows_of(rule) if row != rule for section in listed(table()[row][0])}
    return found


def params(stage: str) -> dict[str, set[str]]:
    """File -> the sections that a stage names of it; all where it names none."""
    files = {file: names for part in DVC[stage]["params"] for file, names in part.items()}
    return {file: set(names or EVERYTHING) for file, names in files.items()}


@pytest.mark.parametrize("stage", DVC)
def test_a_stage_names_the_sections_that_its_rules_depend_on(stage: str) -> None:
    asked = sections(stage)
    expected = {"params.yaml": asked, SHARED_FILE: asked}
    if stage not in OF_PROTOCOL:
        expected[OWN_FILE] = asked if asked == EVERYTHING else asked & set(OWN_SECTIONS)
    assert params(stage) == expected


@pytest.mark.parametrize("stage", DVC)
def test_a_stage_names_the_source_that_its_rules_depend_on(stage: str) -> None:
    modules = {
        module for rule in rules_of(stage) for row in rows_of(rule) for module in listed(table()[row][2])
    }
    files = {file for module in modules for file in closure(module)}
    named = [PACKAGE / path.removeprefix("src/centigan/") for path in DVC[stage]["deps"] if "src/" in path]
    files |= {PACKAGE / name for name in PLUMBING}
    assert {file for file in files if not any(file.is_relative_to(path) for path in named)} == set()
    idle = {path for path in named if not any(file.is_relative_to(path) for file in files)}
    assert idle == set()


def closure(module: str) -> set[Path]:
    """The files behind a module; "data.embedded or data.cifar_raw" are two, "its family" is any."""
    if module == "its family":
        return {file for family in FAMILIES for file in _closure(f"families.{family}")}
    return {file for name in module.split(" or ") for file in _closure(name)}


@pytest.mark.parametrize("stage", DVC)
def test_a_stage_names_the_files_of_its_rules(stage: str) -> None:
    rooms = ROOT / "workflow/rules"
    files = {file for file, of in [*OF_FILE.items(), ("track", "publish")] if of == stage}
    words = set(re.findall(r"\w+", "".join((rooms / f"{file}.smk").read_text() for file in files)))
    of_metrics = words & set(re.findall(r"^def (\w+)", (rooms / "measured.smk").read_text(), re.MULTILINE))
    shared = {"asked", "common", "measured"} if of_metrics else {"asked", "common"}
    expected = {f"workflow/rules/{file}.smk" for file in files | shared}
    named = {path for path in DVC[stage]["deps"] if not path.startswith(("src/", "results/"))}
    assert named == expected | {"Snakefile", "workflow/Snakefile"}


@pytest.mark.parametrize(
    "file", sorted(ROOT.glob("experiments/*/*.yaml")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_a_file_names_every_section_that_a_stage_asks_for(file: Path) -> None:
    asked = {section for stage in ("data", "judge", "train", "evaluate") for section in sections(stage)}
    asked = asked if file.name == "protocol.yaml" else asked & set(OWN_SECTIONS)
    assert asked - set(yaml.safe_load(file.read_text())) == set()


def test_raw_data_are_no_dependency() -> None:
    """A reader has none, and would have all to do again."""
    assert not [path for stage in DVC.values() for path in stage["deps"] if path.startswith("data/")]


EDITS = {"figures": ("splits: {}", "splits: {}\nfigures: {gallery: {title: Another}}"), **SETTINGS}
QUICK = {"figures", "train"}


@pytest.mark.parametrize(
    "edit", [name if name in QUICK else pytest.param(name, marks=pytest.mark.faults) for name in EDITS]
)
def test_dvc_names_the_stages_that_an_edit_concerns(computed: Project, tmp_path: Path, edit: str) -> None:
    project = computed.copy(tmp_path / "copy")
    files = [project.folder / file for file in (PROTOCOL_FILE, FILE)]
    before = [yaml.safe_load(file.read_text()) for file in files]
    project.change(*EDITS[edit])
    after = [yaml.safe_load(file.read_text()) for file in files]
    changed = {
        key for now, then in zip(after, before, strict=True) for key in now if now[key] != then.get(key)
    }
    assert project.named() == {stage for stage in DVC if sections(stage) & changed}
    of_metric = "evaluate"  # of the rule `measure`, whatever the metric
    assert edit not in STAGES or stage_of().get(edit, of_metric) in project.named()
