"""What is measured and drawn of whom, and from what: the catalogue's words as files and settings of jobs."""

from centigan import catalogue
from centigan.layout import TABLES
from centigan.reporting.captions import CAPTIONS

DRAWN_FROM = RESULT_OF | {"train": "results/{experiment}/train/{split}/history.jsonl"}
OF_EVERY_FIGURE = [
    "results/{experiment}/summary.json",
    "results/{home}/classes.csv",
    *(["results/{protocol}/judge/manifest.json"] if DATA.judged else []),
    "results/{experiment}/train/{split}/manifest.json",
]


@cache
def subject_of(experiment):
    """What the models of an experiment can do, which decides what is measured and drawn of them."""
    return catalogue.subject_of_settings(settings_of(experiment))


def figures_of(experiment):
    return list(catalogue.applying(catalogue.FIGURES, subject_of(experiment)))


@cache
def measured(experiment, metrics=None, real=None):
    """The files of these metrics, or of all that apply; only those of real images, or only the others."""
    names = metrics or tuple(catalogue.applying(catalogue.METRICS, subject_of(experiment)))
    paths = catalogue.all_files(names, settings_of(experiment).layout, splits_of(experiment), real=real)
    return [str(path) for path in paths]


def telling_bounds(experiment):
    """The files that tell whether a likelihood is exact or a bound; none of a model that tells none."""
    metrics = catalogue.applying(catalogue.METRICS, subject_of(experiment))
    names = tuple(name for name, metric in metrics.items() if "bound" in metric.columns)
    return measured(experiment, names) if names else []


def measured_of_real(home=PROTOCOL):
    """The files of all that is measured of real images, whatever experiments there are."""
    has = catalogue.has_of_data(DATA) | ({"labels"} if DATA.judged else set())
    known = tuple(
        name
        for name, metric in catalogue.METRICS.items()
        if metric.of_real and metric.of & has and metric.needs & catalogue.OF_DATA <= has
    )
    return measured(home, known, real=True)


def measured_of(wildcards):
    return measured(wildcards.experiment)


def drawn(rule, experiment):
    """What one of the rules that only some families have made, of all splits; nothing for the others."""
    if catalogue.why_not_made(rule, subject_of(experiment)):
        return []
    return expand(RESULT_OF[rule], experiment=experiment, split=splits_of(experiment))


def walks_of(wildcards):
    return drawn("latent", wildcards.experiment)


def judge_of_tables(wildcards):
    """What says which judge it was; points and images of one class have none."""
    if not DATA.judged:
        return []
    return of_protocol("results/{protocol}/judge/manifest.json")(wildcards)


def text_of_report(wildcards):
    """What says which text encoder captions were read by, where a number of the experiment is of captions."""
    if "retrieval" not in catalogue.applying(catalogue.METRICS, subject_of(wildcards.experiment)):
        return []
    return of_protocol(RESULT_OF["text"])(wildcards)


def judge_of_features(wildcards):
    """The judge, where its network makes the features."""
    return JUDGE(wildcards) if network_of_features(wildcards) == "judge" else []


# What the rules `measure` and `measure_real` are for one metric, by the catalogue.
def results_of(makers, wildcards):
    """The results of these rules that a metric is measured with: of its split, or of all."""
    owner = owner_of(wildcards)
    splits = splits_of(owner) if wildcards.split == WHOLE else [wildcards.split]
    whose = {"experiment": owner, "home": home_of(owner), "protocol": protocol_of(wildcards)}
    found = []
    for maker in makers:
        if maker == "judge_of_features":
            found += judge_of_features(wildcards)
        else:
            found += dict.fromkeys(expand(RESULT_OF[maker], split=splits, **whose))
    return found


def measured_with(wildcards):
    return results_of(catalogue.METRICS[wildcards.metric].reads, wildcards)


def real_measured_with(wildcards):
    return results_of(catalogue.METRICS[wildcards.metric].of_real, wildcards)


def stage_of_metric(wildcards):
    return stage(catalogue.METRICS[wildcards.metric].stage)(wildcards)


def stage_of_real_metric(wildcards):
    metric = catalogue.METRICS[wildcards.metric]
    return stage(metric.stage_of_real or metric.stage)(wildcards)


def source_of_metric(wildcards):
    """Of the metric, and of the family where that measures itself."""
    source = source_of(f"metrics.{wildcards.metric}")
    asks = not catalogue.METRICS[wildcards.metric].needs.isdisjoint(catalogue.ASKED_OF_MODEL)
    return f"{source} {source_of_family(wildcards)}" if asks else source


def split_of_metric(wildcards):
    return "" if wildcards.split == WHOLE else f"-s {wildcards.split}"


def threads_of_metric(wildcards):
    return EVERY_CORE if wildcards.split == WHOLE else FAIR_SHARE


def group_of_metric(wildcards):
    """The job of the cluster that it is part of, with all that is measured of a split, or of all together."""
    if not ON_CLUSTER:
        return None
    if catalogue.METRICS[wildcards.metric].reads == ("train",):
        return "in_training"
    return "report" if wildcards.split == WHOLE else "evaluate"


def group_of_real_metric(wildcards):
    return group_of_metric(wildcards) and ("report" if wildcards.split == WHOLE else "real")


def of_all_tables(pattern):
    """Every table's files but comparison.csv, which Snakemake's own report shows."""
    files = [f"{name}.{suffix}" for name, suffixes in TABLES.items() for suffix in suffixes]
    files.remove("comparison.csv")
    return expand(pattern, table=files, allow_missing=True)


def of_all_figures(pattern):
    return lambda wildcards: expand(
        pattern, figure=figures_of(wildcards.experiment), experiment=wildcards.experiment
    )


def figure_sources(wildcards):
    """The files that one figure is drawn from; an experiment beside this one that is not run has none."""
    settings = getattr(settings_of(wildcards.experiment).figures, wildcards.figure)
    summaries = [f"results/{experiment}/summary.json" for experiment in getattr(settings, "beside", ())]
    own = of_all_splits(*OF_EVERY_FIGURE)(wildcards)
    for source in catalogue.FIGURES[wildcards.figure].sources:
        if source in catalogue.METRICS:
            own = own + measured(wildcards.experiment, (source,))
        else:
            own = own + of_all_splits(DRAWN_FROM.get(source, f"results/{{experiment}}/{source}.csv"))(
                wildcards
            )
    return own + [summary for summary in summaries if Path(summary).is_file()]


def figure_caption(wildcards):
    return CAPTIONS[wildcards.figure]


def figure_settings(wildcards):
    return reading.canonical_json(getattr(settings_of(wildcards.experiment).figures, wildcards.figure))


def settings_of_neighbours(wildcards):
    return reading.canonical_json(settings_of(wildcards.experiment).neighbours)


def settings_of_study(wildcards):
    return reading.canonical_json(read_study(STUDY))


def of_their_classes(rule, home):
    """What one of the protocol's rules made of the splits that have the classes of other splits: its first ones."""
    classes, size = settings_of(home).data.classes, settings_of(PROTOCOL).data.split_size
    return expand(RESULT_OF[rule], home=PROTOCOL, split=splits_of(PROTOCOL)[: -(-classes // size)])


def arrays_of_classes(wildcards):
    return of_their_classes("arrays", wildcards.protocol)


def features_of_classes(wildcards):
    """What tells which classes are alike, where splits are made of those."""
    alike = settings_of(wildcards.protocol).grouping.order == "similar"
    return of_their_classes("features_of_real", wildcards.protocol) if alike else []
