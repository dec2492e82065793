localrules:
    publish,  # the tracking server may be out of a compute node's reach


rule publish:
    input:
        page="results/{experiment}/report/index.html",
        summary="results/{experiment}/summary.json",
        figures=of_all_figures("results/{experiment}/figures/{figure}.png"),
        classes=of_protocol("results/{home}/classes.csv"),
        trained=of_all_splits("results/{experiment}/train/{split}/SHA256SUMS"),
        history=of_all_splits("results/{experiment}/train/{split}/history.jsonl"),
        samples=of_all_splits("results/{experiment}/samples/{split}/SHA256SUMS"),
    output:
        "results/{experiment}/mlflow.json",
    log:
        "logs/{experiment}/publish.log",
    params:
        settings=every_setting,
        attempt=attempt,
        code=source_of("tracking"),
    message:
        "publish to MLflow"
    shell:
        "centigan track -e {wildcards.experiment} --attempt {params.attempt} --log {log:q}"
