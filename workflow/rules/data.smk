if FETCHED:

    localrules:
        raw,  # may need the network, which compute nodes often lack

    rule raw:
        output:
            manifest=f"{DATA.root}/manifest.json",
        log:
            f"logs/raw/{DATA.source}.log",
        params:
            source=DATA.source,
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
        index=expand(f"results/{PROTOCOL}/index/{{split}}.parquet", split=splits_of(PROTOCOL)),
        classes=f"results/{PROTOCOL}/classes.csv",
        source=f"results/{PROTOCOL}/source.json",
        pins=f"results/{PROTOCOL}/raw.sha256",
    log:
        f"logs/{PROTOCOL}/index.log",
    params:
        protocol=PROTOCOL,
        settings=stage("index"),
        code=source_of("data.index"),
    message:
        "index the raw images"
    shell:
        "centigan index -e {params.protocol} --settings {params.settings:q} --log {log:q}"


rule arrays:
    input:
        index="results/{protocol}/index/{split}.parquet",
    output:
        images="results/{protocol}/arrays/{split}/images.npy",
        labels="results/{protocol}/arrays/{split}/labels.npy",
        held_out_images="results/{protocol}/arrays/{split}/held_out_images.npy",
        held_out_labels="results/{protocol}/arrays/{split}/held_out_labels.npy",
        facts="results/{protocol}/arrays/{split}/facts.json",
        digests="results/{protocol}/arrays/{split}/SHA256SUMS",
        manifest="results/{protocol}/arrays/{split}/manifest.json",
    log:
        "logs/{protocol}/arrays/{split}.log",
    threads: FAIR_SHARE
    params:
        settings=stage("arrays"),
        code=source_of("data.arrays"),
    message:
        "arrays of split {wildcards.split}"
    shell:
        "centigan arrays -e {wildcards.protocol} -s {wildcards.split}"
        " --settings {params.settings:q} --threads {threads} --log {log:q}"
