rule judge:
    input:
        arrays=of_all_splits("results/{protocol}/arrays/{split}/SHA256SUMS"),
        classes="results/{protocol}/classes.csv",
    output:
        weights="results/{protocol}/judge/weights.safetensors",
        facts="results/{protocol}/judge/facts.json",
        digests="results/{protocol}/judge/SHA256SUMS",
        manifest="results/{protocol}/judge/manifest.json",
    log:
        "logs/{protocol}/judge.log",
    priority: 2  # every split's accuracy waits for it
    params:
        settings=stage("judge"),
        code=source_of("judges"),
    message:
        "prepare the judge"
    shell:
        "centigan judge -e {wildcards.protocol} --threads {threads}"
        " --settings {params.settings:q} --log {log:q}"
