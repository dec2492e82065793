rule features:
    input:
        judge=judge_of_features,
        arrays=of_protocol("results/{home}/arrays/{split}/SHA256SUMS"),
        samples="results/{experiment}/samples/{split}/SHA256SUMS",
    output:
        generated="results/{experiment}/features/{split}/generated.npy",
        fresh="results/{experiment}/features/{split}/fresh.npy",
        facts="results/{experiment}/features/{split}/facts.json",
        digests="results/{experiment}/features/{split}/SHA256SUMS",
        manifest="results/{experiment}/features/{split}/manifest.json",
    log:
        "logs/{experiment}/features/{split}.log",
    threads: FAIR_SHARE
    params:
        settings=stage("features"),
        code=source_of("metrics.features"),
    message:
        "features of split {wildcards.split}"
    shell:
        "centigan features -e {wildcards.experiment} -s {wildcards.split} --threads {threads}"
        " --settings {params.settings:q} --log {log:q}"


# Every metric of the catalogue; of all splits together where {split} is "all".
rule measure:
    input:
        measured_with,
    output:
        "results/{experiment}/metrics/{metric}/{split}.parquet",
    log:
        "logs/{experiment}/measure/{metric}/{split}.log",
    wildcard_constraints:
        metric="|".join(catalogue.METRICS),
        split=f"{EVERY_SPLIT}|{WHOLE}",
    group:
        group_of_metric
    threads: threads_of_metric
    params:
        settings=stage_of_metric,
        code=source_of_metric,
        of=split_of_metric,
    message:
        "{wildcards.metric} of {wildcards.split}"
    shell:
        "centigan measure {wildcards.metric} -e {wildcards.experiment} {params.of} --threads {threads}"
        " --settings {params.settings:q} --log {log:q}"
