rule judge:
    input:
        arrays=of_all_splits("results/{experiment}/arrays/{split}/SHA256SUMS"),
        classes="results/{experiment}/classes.csv",
    output:
        weights="results/{experiment}/judge/weights.safetensors",
        digests="results/{experiment}/judge/SHA256SUMS",
        manifest="results/{experiment}/judge/manifest.json",
    log:
        "logs/{experiment}/judge.log",
    params:
        settings=stage("judge"),
        code=source_of("judges"),
    message:
        "prepare the judge"
    shell:
        "centigan judge -e {wildcards.experiment} --threads {threads}"
        " --settings {params.settings:q} --log {log:q}"


rule accuracy:
    input:
        judge="results/{experiment}/judge/SHA256SUMS",
        real="results/{experiment}/arrays/{split}/SHA256SUMS",
        samples="results/{experiment}/samples/{split}/SHA256SUMS",
    output:
        "results/{experiment}/metrics/accuracy/{split}.parquet",
    log:
        "logs/{experiment}/accuracy/{split}.log",
    threads: fair_share
    params:
        settings=stage("accuracy"),
        code=source_of("metrics.accuracy"),
    message:
        "accuracy against resolution of split {wildcards.split}"
    shell:
        "centigan accuracy -e {wildcards.experiment} -s {wildcards.split} --threads {threads}"
        " --settings {params.settings:q} --log {log:q}"


rule ms_ssim:
    input:
        real="results/{experiment}/arrays/{split}/SHA256SUMS",
        samples="results/{experiment}/samples/{split}/SHA256SUMS",
    output:
        "results/{experiment}/metrics/ms_ssim/{split}.parquet",
    log:
        "logs/{experiment}/ms_ssim/{split}.log",
    threads: fair_share
    params:
        settings=stage("ms_ssim"),
        code=source_of("metrics.ms_ssim"),
    message:
        "MS-SSIM of split {wildcards.split}"
    shell:
        "centigan ms-ssim -e {wildcards.experiment} -s {wildcards.split} --threads {threads}"
        " --settings {params.settings:q} --log {log:q}"


rule ms_ssim_in_training:
    input:
        trained="results/{experiment}/train/{split}/SHA256SUMS",
    output:
        "results/{experiment}/metrics/ms_ssim_in_training/{split}.parquet",
    log:
        "logs/{experiment}/ms_ssim_in_training/{split}.log",
    threads: fair_share
    params:
        settings=stage("ms_ssim"),
        code=source_of("metrics.ms_ssim"),
    message:
        "MS-SSIM through the training of split {wildcards.split}"
    shell:
        "centigan ms-ssim --in-training -e {wildcards.experiment} -s {wildcards.split} --threads {threads}"
        " --settings {params.settings:q} --log {log:q}"
