rule accuracy:
    input:
        judge=JUDGE,
        real=of_protocol("results/{protocol}/arrays/{split}/SHA256SUMS"),
        samples="results/{experiment}/samples/{split}/SHA256SUMS",
    output:
        "results/{experiment}/metrics/accuracy/{split}.parquet",
    log:
        "logs/{experiment}/accuracy/{split}.log",
    threads: FAIR_SHARE
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
        real=of_protocol("results/{protocol}/arrays/{split}/SHA256SUMS"),
        samples="results/{experiment}/samples/{split}/SHA256SUMS",
    output:
        "results/{experiment}/metrics/ms_ssim/{split}.parquet",
    log:
        "logs/{experiment}/ms_ssim/{split}.log",
    threads: FAIR_SHARE
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
    threads: FAIR_SHARE
    params:
        settings=stage("ms_ssim"),
        code=source_of("metrics.ms_ssim"),
    message:
        "MS-SSIM through the training of split {wildcards.split}"
    shell:
        "centigan ms-ssim --in-training -e {wildcards.experiment} -s {wildcards.split} --threads {threads}"
        " --settings {params.settings:q} --log {log:q}"


rule features:
    input:
        judge=judge_of_features,
        real=of_protocol("results/{protocol}/arrays/{split}/SHA256SUMS"),
        samples="results/{experiment}/samples/{split}/SHA256SUMS",
    output:
        real="results/{experiment}/features/{split}/real.npy",
        held_out="results/{experiment}/features/{split}/held_out.npy",
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


rule inception_score:
    input:
        judge=judge_of_features,
        features=of_all_splits("results/{experiment}/features/{split}/SHA256SUMS"),
    output:
        "results/{experiment}/metrics/inception_score/all.parquet",
    log:
        "logs/{experiment}/inception_score.log",
    threads: EVERY_CORE
    params:
        settings=stage("inception_score"),
        code=source_of("metrics.inception_score"),
    message:
        "Inception score"
    shell:
        "centigan inception-score -e {wildcards.experiment} --threads {threads}"
        " --settings {params.settings:q} --log {log:q}"


rule distribution:
    input:
        features=of_all_splits("results/{experiment}/features/{split}/SHA256SUMS"),
    output:
        "results/{experiment}/metrics/distribution/all.parquet",
    log:
        "logs/{experiment}/distribution.log",
    threads: EVERY_CORE
    params:
        settings=stage("distribution"),
        code=source_of("metrics.distribution"),
    message:
        "FID, KID, precision, recall, density and coverage"
    shell:
        "centigan distribution -e {wildcards.experiment} --threads {threads}"
        " --settings {params.settings:q} --log {log:q}"


rule intra_class:
    input:
        features="results/{experiment}/features/{split}/SHA256SUMS",
    output:
        "results/{experiment}/metrics/intra_class/{split}.parquet",
    log:
        "logs/{experiment}/intra_class/{split}.log",
    threads: FAIR_SHARE
    params:
        settings=stage("distribution"),
        code=source_of("metrics.intra_class"),
    message:
        "FID and its like within the classes of split {wildcards.split}"
    shell:
        "centigan intra-class -e {wildcards.experiment} -s {wildcards.split} --threads {threads}"
        " --settings {params.settings:q} --log {log:q}"


rule classification:
    input:
        features=of_all_splits("results/{experiment}/features/{split}/SHA256SUMS"),
    output:
        "results/{experiment}/metrics/classification/all.parquet",
    log:
        "logs/{experiment}/classification.log",
    threads: EVERY_CORE
    params:
        settings=stage("classification"),
        code=source_of("metrics.classification"),
    message:
        "classification accuracy score"
    shell:
        "centigan classification -e {wildcards.experiment} --threads {threads}"
        " --settings {params.settings:q} --log {log:q}"


rule neighbours:
    input:
        real=of_protocol("results/{protocol}/arrays/{split}/SHA256SUMS"),
        samples="results/{experiment}/samples/{split}/SHA256SUMS",
    output:
        "results/{experiment}/metrics/neighbours/{split}.parquet",
    log:
        "logs/{experiment}/neighbours/{split}.log",
    threads: FAIR_SHARE
    params:
        settings=stage("neighbours"),
        code=source_of("metrics.neighbours"),
    message:
        "nearest training images of split {wildcards.split}"
    shell:
        "centigan neighbours -e {wildcards.experiment} -s {wildcards.split} --threads {threads}"
        " --settings {params.settings:q} --log {log:q}"


rule smoothness:
    input:
        judge=judge_of_features,
        walks="results/{experiment}/latent/{split}/SHA256SUMS",
    output:
        "results/{experiment}/metrics/latent/{split}.parquet",
    log:
        "logs/{experiment}/smoothness/{split}.log",
    threads: FAIR_SHARE
    params:
        settings=stage("features"),
        code=source_of("metrics.smoothness"),
    message:
        "smoothness of the latent space of split {wildcards.split}"
    shell:
        "centigan smoothness -e {wildcards.experiment} -s {wildcards.split} --threads {threads}"
        " --settings {params.settings:q} --log {log:q}"
