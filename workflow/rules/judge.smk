# What the rules `measure` and `measure_real` are for one metric, by the catalogue.
def results_of(rules, wildcards):
    """The results of these rules that a metric is measured with: of its split, or of all."""
    splits = splits_of(PROTOCOL) if wildcards.split == WHOLE else [wildcards.split]
    whose = {"experiment": owner_of(wildcards), "protocol": protocol_of(wildcards)}
    found = []
    for rule in rules:
        if rule == "judge_of_features":
            found += judge_of_features(wildcards)
        else:
            found += dict.fromkeys(expand(RESULT_OF[rule], split=splits, **whose))
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
    asks = "likelihood" in catalogue.METRICS[wildcards.metric].needs
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


rule judge:
    input:
        arrays=of_all_splits("results/{protocol}/arrays/{split}/SHA256SUMS"),
        classes="results/{protocol}/classes.csv",
    output:
        weights="results/{protocol}/judge/weights.safetensors",
        facts="results/{protocol}/judge/facts.json",
        digests="results/{protocol}/judge/SHA256SUMS",
        manifest="results/{protocol}/judge/manifest.json",
    log:
        "logs/{protocol}/judge.log",
    priority: 2  # every split's accuracy waits for it
    params:
        settings=stage("judge"),
        code=source_of("judges"),
    message:
        "prepare the judge"
    shell:
        "centigan judge -e {wildcards.protocol} --threads {threads}"
        " --settings {params.settings:q} --log {log:q}"


rule features_of_real:
    input:
        judge=judge_of_features,
        arrays="results/{protocol}/arrays/{split}/SHA256SUMS",
    output:
        training="results/{protocol}/real/features/{split}/real.npy",
        held_out="results/{protocol}/real/features/{split}/held_out.npy",
        facts="results/{protocol}/real/features/{split}/facts.json",
        digests="results/{protocol}/real/features/{split}/SHA256SUMS",
        manifest="results/{protocol}/real/features/{split}/manifest.json",
    log:
        "logs/{protocol}/features_of_real/{split}.log",
    threads: FAIR_SHARE
    params:
        settings=stage("features"),
        code=source_of("metrics.features"),
    message:
        "features of the real images of split {wildcards.split}"
    shell:
        "centigan features --real -e {wildcards.protocol} -s {wildcards.split} --threads {threads}"
        " --settings {params.settings:q} --log {log:q}"


rule measure_real:
    input:
        real_measured_with,
    output:
        "results/{protocol}/real/metrics/{metric}/{split}.parquet",
    log:
        "logs/{protocol}/measure_real/{metric}/{split}.log",
    wildcard_constraints:
        metric="|".join(name for name, metric in catalogue.METRICS.items() if metric.of_real),
        split=f"{pattern_of(splits_of(PROTOCOL))}|{WHOLE}",
    group:
        group_of_real_metric
    threads: threads_of_metric
    params:
        settings=stage_of_real_metric,
        code=source_of_metric,
        of=split_of_metric,
    message:
        "{wildcards.metric} of real images, of {wildcards.split}"
    shell:
        "centigan measure {wildcards.metric} --real -e {wildcards.protocol} {params.of} --threads {threads}"
        " --settings {params.settings:q} --log {log:q}"
