rule judge:
    input:
        arrays=of_all_splits("results/{home}/arrays/{split}/SHA256SUMS"),
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
        training="results/{protocol}/real/features/{split}/training.npy",
        held_out="results/{protocol}/real/features/{split}/held_out.npy",
        facts="results/{protocol}/real/features/{split}/facts.json",
        digests="results/{protocol}/real/features/{split}/SHA256SUMS",
        manifest="results/{protocol}/real/features/{split}/manifest.json",
    log:
        "logs/{protocol}/features_of_real/{split}.log",
    wildcard_constraints:
        protocol=ANY_HOME,
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
        protocol=ANY_HOME,
        metric="|".join(name for name, metric in catalogue.METRICS.items() if metric.of_real),
        split=f"{EVERY_SPLIT}|{WHOLE}",
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
