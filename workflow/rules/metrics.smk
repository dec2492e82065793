rule judge:
    input:
        images=of_all_splits("results/{experiment}/arrays/{split}/images.npy"),
        held_out=of_all_splits("results/{experiment}/arrays/{split}/held_out_images.npy"),
        classes="results/{experiment}/classes.csv",
    output:
        manifest="results/{experiment}/judge/manifest.json",
        weights="results/{experiment}/judge/weights.safetensors",
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
        judge="results/{experiment}/judge/manifest.json",
        weights="results/{experiment}/judge/weights.safetensors",
        real="results/{experiment}/arrays/{split}/held_out_images.npy",
        samples="results/{experiment}/samples/{split}/images.npy",
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
        real="results/{experiment}/arrays/{split}/images.npy",
        samples="results/{experiment}/samples/{split}/images.npy",
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
        snapshots="results/{experiment}/train/{split}/snapshots.safetensors",
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
