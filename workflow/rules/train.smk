rule train:
    input:
        arrays=of_protocol("results/{home}/arrays/{split}/SHA256SUMS"),
        begun_with=begun_with,
        captions=captions_of,
    output:
        history="results/{experiment}/train/{split}/history.jsonl",
        snapshots="results/{experiment}/train/{split}/snapshots.safetensors",
        facts="results/{experiment}/train/{split}/facts.json",
        digests="results/{experiment}/train/{split}/SHA256SUMS",  # of the networks, too, whichever a family has
        manifest="results/{experiment}/train/{split}/manifest.json",
    log:
        "logs/{experiment}/train/{split}.log",
    priority: 1  # the longest jobs first
    threads: FAIR_SHARE
    resources:
        mem_mb=2000,  # peak 0.6 GB on the demo
        gpu_seats=1,
    params:
        settings=stage("train"),
    message:
        "train split {wildcards.split}"
    shell:
        # exec: a signal reaches the trainer itself, not a shell around it
        "exec centigan train -e {wildcards.experiment} -s {wildcards.split} --threads {threads}"
        " --settings {params.settings:q} --log {log:q}"
