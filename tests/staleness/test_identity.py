"""What a job depends on: the table of docs/staleness.md, the rules, and what a change of each part plans."""

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from copied import ROOT
from staleness.project import RESULTS, Project

from centigan import needed
from centigan.catalogue import (
    ASKED_OF_MODEL,
    METRICS,
    RULES_OF_SOME,
    applying,
    subject_of,
    why_not_made,
)
from centigan.layout import OF_PROTOCOL
from centigan.settings.families.acgan import AcganConfig
from centigan.settings.stages import STAGES

MEASURING = {"measure", "measure_real"}  # rules that the catalogue fills in
COMPUTED = subject_of(AcganConfig(), classes_of_a_split=2)  # of the project that is computed
MEASURED = applying(METRICS, COMPUTED)
# `snakemake reporting` of that project runs none of them
LEFT_OUT = {"publish", "study", "publish_study", "group", "gather"}
LEFT_OUT |= {rule for rule in RULES_OF_SOME if why_not_made(rule, COMPUTED)}
RULE = re.compile(r"^(?:    )?rule (\w+):\n(.*?)(?=^(?:    )?rule |\Z)", re.MULTILINE | re.DOTALL)


def table() -> dict[str, list[str]]:
    """Rule -> settings, made from, source: as the documentation has them; `measure` has a row a metric."""
    text = (ROOT / "docs/staleness.md").read_text()
    rows = text.partition("| rule | settings | made from | source |\n")[2].partition("\n\n")[0]
    cells = ([cell.strip() for cell in row.strip("|").split("|")] for row in rows.splitlines()[1:])
    return {rule: rest for rule, *rest in cells}


def rules() -> dict[str, str]:
    """Rule -> its text, of every rule that runs a command."""
    texts = "\n".join(path.read_text() for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
    return {name: body for name, body in RULE.findall(texts) if "shell:" in body}


def of_one(row: str) -> str:
    """The rule of a row such as "measure accuracy"."""
    return row.partition(" ")[0]


def runs(row: str) -> bool:
    """Whether a row is of a rule, and of a metric, that the project has."""
    rule, _, metric = row.partition(" ")
    return rule not in LEFT_OUT and (not metric or metric in MEASURED)


def listed(cell: str) -> set[str]:
    return {word.strip(" `") for word in cell.split(",") if word.strip()}


def section(body: str, name: str) -> str:
    """What a rule says under `input:` and the like."""
    found = re.search(rf"^ +{name}:\n(.*?)(?=^ +\w+:\n|\Z)", body, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def test_every_rule_that_runs_a_command_stands_in_the_table() -> None:
    assert {of_one(row) for row in table()} == set(rules())


def test_the_rows_of_metrics_are_those_of_the_catalogue() -> None:
    rows = {
        row: (listed(cells[0]), listed(cells[1]), cells[2]) for row, cells in table().items() if " " in row
    }
    expected = {}
    for name, metric in METRICS.items():
        sides = {"measure": (metric.reads, metric.stage)}
        if metric.of_real:
            sides["measure_real"] = (metric.of_real, metric.stage_of_real or metric.stage)
        for rule, (reads, stage) in sides.items():
            made_from = {source.removesuffix("_of_features") for source in reads}
            of_family = metric.needs & ASKED_OF_MODEL
            source = f"metrics.{name}, its family" if of_family else f"metrics.{name}"
            expected[f"{rule} {name}"] = set(STAGES[stage].model_fields), made_from, source
    assert rows == expected


@pytest.mark.parametrize("rule", sorted(rules().keys() - MEASURING))
def test_the_table_names_the_source_and_the_settings_of_the_rule(rule: str) -> None:
    settings, _, source = table()[rule]
    params = section(rules()[rule], "params")
    modules = re.findall(r'source_of\("([\w.]+)"\)', params)
    modules += ["its family"] if "source_of_family" in params else []
    assert modules == [] or listed(source) == set(modules)
    assert (rule == "train") == (not re.search("source_of|code", params))
    if stage := re.search(r'stage\("(\w+)"\)', params):
        assert listed(settings.removesuffix(", without root")) == set(STAGES[stage[1]].model_fields)


@pytest.mark.parametrize(
    "rule",
    sorted(set(rules()) - {"figure", "report", "publish", "raw", "index", "group", "gather"} - MEASURING),
)
def test_the_table_names_what_the_rule_is_made_from(rule: str) -> None:
    inputs = section(rules()[rule], "input")
    paths = re.findall(r'"results/\{(?:experiment|protocol|home)\}/([^"]+)"', inputs)
    makers = {maker(path) for path in paths}
    makers |= {"judge"} if re.search("judge_of_(features|tables)|JUDGE", inputs) else set()
    makers |= {"latent"} if "walks_of" in inputs else set()
    makers |= set(re.findall(r'RESULT_OF\["(\w+)"\]', inputs)) | set(re.findall(r"rules\.(\w+)\.", inputs))
    makers |= MEASURING if "measured_of" in inputs else set()
    makers |= {"measure"} if "telling_bounds" in inputs else set()
    assert listed(table()[rule][1]) == makers


def maker(path: str) -> str:
    """The rule that writes a result."""
    _, rule, _ = needed.maker(Path("results/mine" if path.split("/")[0] in OF_PROTOCOL else RESULTS, path))
    return rule


# From here on with the computed project: each part is changed once, and a dry run says what it would make.

SETTINGS = {  # an edit of each stage's settings
    "index": ("held_out: 0.4", "held_out: 0.3"),
    "arrays": ("{resolution: 32}", "{resolution: 32, dct_scaling: false}"),
    "train": ("log_every: 1", "log_every: 2"),
    "sample": ("fresh_per_class: 2", "fresh_per_class: 3"),
    "judge": ("small-cnn", "small-cnn, seed: 1"),
    "accuracy": ("accuracy: {}", "accuracy: {subsets: 3}"),
    "ms_ssim": ("pairs: 2", "pairs: 1"),
    "features": ("network: judge", "network: judge, precision: bfloat16"),
    "inception_score": ("select_groups: 2", "select_groups: 1"),
    "distribution": ("kid_subsets: 2", "kid_subsets: 3"),
    "classification": ("classification: {}", "classification: {per_class: 2}"),
    "neighbours": ("permutations: 20", "permutations: 10"),
    "latent": ("steps: 3", "steps: 4"),
}
INPUTS = {  # a result of each rule that another one is made from
    "index": "index/00.parquet",
    "arrays": "arrays/00/SHA256SUMS",
    "train": "train/00/SHA256SUMS",
    "sample": "samples/00/SHA256SUMS",
    "latent": "latent/00/SHA256SUMS",
    "judge": "judge/SHA256SUMS",
    "features": "features/00/SHA256SUMS",
    "features_of_real": "real/features/00/SHA256SUMS",
    **{f"measure {name}": f"metrics/{name}/{of.names(['00'])[0]}.parquet" for name, of in MEASURED.items()},
    "measure_real accuracy": "real/metrics/accuracy/00.parquet",
    "measure_real distribution": "real/metrics/distribution/all.parquet",
    "tables": "summary.json",
    "figure": "figures/gallery.svg",
}


def after(*changed: str) -> set[str]:
    """Rules that are made from these, directly or not; of those that run."""
    made_from = {row: listed(inputs) for row, (_, inputs, _) in table().items() if runs(row)}
    found, waiting = set[str](), list(changed)
    while waiting:
        last = waiting.pop()
        new = {rule for rule, inputs in made_from.items() if {last, of_one(last)} & inputs} - found
        found |= new
        waiting += new
    return found


def names_of(rows: set[str]) -> set[str]:
    return {of_one(row) for row in rows}


def planned(project: Project) -> set[str]:
    """The rules of the jobs that a dry run shows."""
    output = project.run("snakemake", "--dry-run", "reporting")
    return set(re.findall(r"^(\w+) {2,}\d+\b", output, re.MULTILINE)) - {"total", "reporting"}


def remade(project: Project, output: str) -> None:
    """Change a result as if its job had just written it so."""
    path = project.result(output)
    changed = [path]
    if path.name == "SHA256SUMS":
        facts = path.with_name("facts.json")
        facts.write_text(facts.read_text() + "\n")
        digest = hashlib.sha256(facts.read_bytes()).hexdigest()
        path.write_text(re.sub(r"(?m)^\w+(?=  facts\.json$)", digest, path.read_text()))
        changed.append(facts)
    else:
        path.write_bytes(path.read_bytes() + b"\n")
    for file in changed:
        name = base64.urlsafe_b64encode(file.relative_to(project.folder).as_posix().encode()).decode()
        record = project.folder / ".snakemake/metadata" / name
        record.write_text(json.dumps(json.loads(record.read_text()) | {"starttime": 2e9}))


@pytest.fixture
def copy(computed: Project, tmp_path: Path) -> Project:
    return computed.copy(tmp_path / "copy")


@pytest.mark.faults
@pytest.mark.parametrize("stage", SETTINGS)
def test_other_settings_of_a_stage_reach_what_the_table_says(copy: Project, stage: str) -> None:
    copy.change(*SETTINGS[stage])
    *_, section = STAGES[stage].model_fields
    own = {row for row, (settings, *_) in table().items() if runs(row) and section in listed(settings)}
    assert planned(copy) == names_of(own | after(*own))
    assert copy.named()


@pytest.mark.faults
@pytest.mark.parametrize("rule", INPUTS)
def test_another_result_of_a_rule_reaches_what_is_made_from_it(copy: Project, rule: str) -> None:
    remade(copy, INPUTS[rule])
    assert planned(copy) == names_of(after(rule))
    assert copy.named()


@pytest.mark.faults
@pytest.mark.parametrize("rule", sorted({*filter(runs, table())} - {"raw", "train", "figure", "report"}))
def test_another_source_of_a_rule_reaches_what_the_table_says(copy: Project, rule: str) -> None:
    module = sorted(listed(table()[rule][2]) - {"its family"})[0]
    path = copy.folder / "src/centigan" / Path(*module.split("."))
    path = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
    path.write_text(path.read_text() + "\nANOTHER = 1\n")
    assert names_of({rule} | after(rule)) <= planned(copy)
    assert copy.named()


def test_another_family_makes_nothing_stale_and_an_edit_of_ones_own_its_images(copy: Project) -> None:
    package = copy.folder / "src/centigan"
    for folder in ("families", "settings/families"):
        (package / folder / "dummy.py").write_text((package / folder / "cgan.py").read_text())
    listing = package / "settings/families/__init__.py"
    listing.write_text(
        listing.read_text().replace('"cgan": CganConfig', '"cgan": CganConfig, "dummy": CganConfig')
    )
    assert "dummy" in listing.read_text()
    assert planned(copy) == set()
    own = package / "families/acgan.py"
    own.write_text(own.read_text() + "\nANOTHER = 1\n")
    assert planned(copy) == names_of({"sample", "latent"} | after("sample", "latent"))
