if FETCHED:

    localrules:
        raw,  # may need the network, which compute nodes often lack

    rule raw:
        output:
            manifest=f"{SETTINGS.data.root}/manifest.json",
        log:
            f"logs/raw/{SETTINGS.data.source}.log",
        params:
            source=SETTINGS.data.source,
            code=source_of(FETCHED),
        message:
            "put the data set {params.source} in place"
        shell:
            "centigan raw {params.source} --root $(dirname {output.manifest:q}) --log {log:q}"


rule index:
    input:
        raw=raw_files,
    output:
        # no wildcard: Snakemake tries a pattern with one on every file there is, and here is one a split
        index=of_all_splits(f"results/{EXPERIMENT}/index/{{split}}.parquet"),
        classes=f"results/{EXPERIMENT}/classes.csv",
        source=f"results/{EXPERIMENT}/source.json",
        pins=f"results/{EXPERIMENT}/raw.sha256",
    log:
        f"logs/{EXPERIMENT}/index.log",
    params:
        experiment=EXPERIMENT,
        settings=stage("index"),
        code=source_of("data.index"),
    message:
        "index the raw images"
    shell:
        "centigan index -e {params.experiment} --settings {params.settings:q} --log {log:q}"


rule arrays:
    input:
        index="results/{experiment}/index/{split}.parquet",
    output:
        images="results/{experiment}/arrays/{split}/images.npy",
        labels="results/{experiment}/arrays/{split}/labels.npy",
        held_out_images="results/{experiment}/arrays/{split}/held_out_images.npy",
        held_out_labels="results/{experiment}/arrays/{split}/held_out_labels.npy",
        facts="results/{experiment}/arrays/{split}/facts.json",
        digests="results/{experiment}/arrays/{split}/SHA256SUMS",
        manifest="results/{experiment}/arrays/{split}/manifest.json",
    log:
        "logs/{experiment}/arrays/{split}.log",
    threads: FAIR_SHARE
    params:
        settings=stage("arrays"),
        code=source_of("data.arrays"),
    message:
        "arrays of split {wildcards.split}"
    shell:
        "centigan arrays -e {wildcards.experiment} -s {wildcards.split}"
        " --settings {params.settings:q} --threads {threads} --log {log:q}"
