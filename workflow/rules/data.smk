if FETCHED:

    localrules:
        raw,  # may need the network, which compute nodes often lack

    rule raw:
        output:
            manifest=f"{DATA.root}/manifest.json",
        log:
            f"logs/raw/{FETCHED_AS}.log",
        params:
            source=FETCHED_AS,
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


rule text:
    input:
        arrays=of_all_splits(RESULT_OF["arrays"]),
        features=features_that_text_sees,
    output:
        encoder="results/{protocol}/text/text.safetensors",
        images="results/{protocol}/text/image.safetensors",
        vocabulary="results/{protocol}/text/vocabulary.json",
        retrieval="results/{protocol}/text/retrieval.json",
        facts="results/{protocol}/text/facts.json",
        digests="results/{protocol}/text/SHA256SUMS",
        manifest="results/{protocol}/text/manifest.json",
    log:
        "logs/{protocol}/text.log",
    threads: EVERY_CORE
    params:
        settings=stage("text"),
        code=source_of("text.fit"),
    message:
        "learn to embed captions"
    shell:
        "centigan text -e {wildcards.protocol} --threads {threads} --settings {params.settings:q} --log {log:q}"


rule embed:
    input:
        arrays="results/{home}/arrays/{split}/SHA256SUMS",
        encoder=expand(RESULT_OF["text"], protocol=PROTOCOL),
    output:
        embeddings="results/{home}/captions/{split}/embeddings.npy",
        held_out="results/{home}/captions/{split}/held_out_embeddings.npy",
        facts="results/{home}/captions/{split}/facts.json",
        digests="results/{home}/captions/{split}/SHA256SUMS",
        manifest="results/{home}/captions/{split}/manifest.json",
    log:
        "logs/{home}/embed/{split}.log",
    wildcard_constraints:
        home=ANY_HOME,
    threads: FAIR_SHARE
    params:
        settings=stage("text"),  # text.captions leaves the encoder as it is
        code=source_of("text.embed"),
    message:
        "embed captions of split {wildcards.split}"
    shell:
        "centigan embed -e {wildcards.home} -s {wildcards.split} --threads {threads}"
        " --settings {params.settings:q} --log {log:q}"
