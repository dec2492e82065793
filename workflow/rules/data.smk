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
        index=of_all_splits("results/{experiment}/index/{split}.parquet"),
        classes="results/{experiment}/classes.csv",
        source="results/{experiment}/source.json",
        pins="results/{experiment}/raw.sha256",
    log:
        "logs/{experiment}/index.log",
    params:
        settings=stage("index"),
        code=source_of("data.index"),
    message:
        "index the raw images"
    shell:
        "centigan index -e {wildcards.experiment} --settings {params.settings:q} --log {log:q}"


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
    threads: fair_share
    params:
        settings=stage("arrays"),
        code=source_of("data.arrays"),
    message:
        "arrays of split {wildcards.split}"
    shell:
        "centigan arrays -e {wildcards.experiment} -s {wildcards.split}"
        " --settings {params.settings:q} --threads {threads} --log {log:q}"
