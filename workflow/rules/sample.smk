rule sample:
    input:
        trained="results/{experiment}/train/{split}/SHA256SUMS",
        captions=captions_of,
    output:
        images="results/{experiment}/samples/{split}/images.npy",
        labels="results/{experiment}/samples/{split}/labels.npy",
        fresh_images="results/{experiment}/samples/{split}/fresh_images.npy",
        fresh_labels="results/{experiment}/samples/{split}/fresh_labels.npy",
        facts="results/{experiment}/samples/{split}/facts.json",
        digests="results/{experiment}/samples/{split}/SHA256SUMS",
        manifest="results/{experiment}/samples/{split}/manifest.json",
    log:
        "logs/{experiment}/sample/{split}.log",
    threads: FAIR_SHARE
    params:
        settings=stage("sample"),
        code=source_of("sampling"),
        family=source_of_family,
    message:
        "sample split {wildcards.split}"
    shell:
        "centigan sample -e {wildcards.experiment} -s {wildcards.split} --threads {threads}"
        " --settings {params.settings:q} --log {log:q}"


rule latent:
    input:
        trained="results/{experiment}/train/{split}/SHA256SUMS",
    output:
        images="results/{experiment}/latent/{split}/images.safetensors",
        facts="results/{experiment}/latent/{split}/facts.json",
        digests="results/{experiment}/latent/{split}/SHA256SUMS",
        manifest="results/{experiment}/latent/{split}/manifest.json",
    log:
        "logs/{experiment}/latent/{split}.log",
    threads: FAIR_SHARE
    params:
        settings=stage("latent"),
        code=source_of("interpolation"),
        family=source_of_family,
    message:
        "walks through the latent space of split {wildcards.split}"
    shell:
        "centigan latent -e {wildcards.experiment} -s {wildcards.split} --threads {threads}"
        " --settings {params.settings:q} --log {log:q}"


rule reconstruct:
    input:
        arrays=of_protocol("results/{home}/arrays/{split}/SHA256SUMS"),
        trained="results/{experiment}/train/{split}/SHA256SUMS",
    output:
        images="results/{experiment}/reconstructions/{split}/images.safetensors",
        facts="results/{experiment}/reconstructions/{split}/facts.json",
        digests="results/{experiment}/reconstructions/{split}/SHA256SUMS",
        manifest="results/{experiment}/reconstructions/{split}/manifest.json",
    log:
        "logs/{experiment}/reconstruct/{split}.log",
    threads: FAIR_SHARE
    params:
        settings=stage("reconstruct"),
        code=source_of("reconstruction"),
        family=source_of_family,
    message:
        "held-out images of split {wildcards.split} drawn again"
    shell:
        "centigan reconstruct -e {wildcards.experiment} -s {wildcards.split} --threads {threads}"
        " --settings {params.settings:q} --log {log:q}"


rule demonstrate:
    input:
        arrays=of_protocol("results/{home}/arrays/{split}/SHA256SUMS"),
        trained="results/{experiment}/train/{split}/SHA256SUMS",
        captions=captions_of,
    output:
        images="results/{experiment}/demonstrations/{split}/images.safetensors",
        sheets="results/{experiment}/demonstrations/{split}/sheets.json",
        facts="results/{experiment}/demonstrations/{split}/facts.json",
        digests="results/{experiment}/demonstrations/{split}/SHA256SUMS",
        manifest="results/{experiment}/demonstrations/{split}/manifest.json",
    log:
        "logs/{experiment}/demonstrate/{split}.log",
    threads: FAIR_SHARE
    params:
        settings=stage("demonstrate"),
        code=source_of("demonstration"),
        family=source_of_family,
    message:
        "what the paper shows, of split {wildcards.split}"
    shell:
        "centigan demonstrate -e {wildcards.experiment} -s {wildcards.split} --threads {threads}"
        " --settings {params.settings:q} --log {log:q}"
