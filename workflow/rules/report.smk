rule tables:
    input:
        classes=of_protocol("results/{home}/classes.csv"),
        judge=judge_of_tables,
        measured=measured_of,
        source=of_protocol("results/{protocol}/source.json"),
        trained=of_all_splits("results/{experiment}/train/{split}/manifest.json"),
        history=of_all_splits("results/{experiment}/train/{split}/history.jsonl"),
    output:
        summary="results/{experiment}/summary.json",
        tables=of_all_tables("results/{experiment}/tables/{table}"),
        comparison=report(
            "results/{experiment}/tables/comparison.csv",
            caption="../report/comparison.rst",
            category="Tables",
        ),
    log:
        "logs/{experiment}/tables.log",
    params:
        neighbours=settings_of_neighbours,  # the threshold of duplicates, permutations
        network=network_of_features,
        tables=source_of("reporting.tables"),
        comparison=source_of("reporting.comparison"),
    message:
        "tables and summary"
    shell:
        "centigan tables -e {wildcards.experiment} --log {log:q}"


rule figure:
    input:
        figure_sources,
    output:
        svg=report(
            "results/{experiment}/figures/{figure}.svg",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        png="results/{experiment}/figures/{figure}.png",
    log:
        "logs/{experiment}/figures/{figure}.log",
    params:
        settings=figure_settings,
        caption=figure_caption,
        code=source_of("reporting.figures"),
    message:
        "figure {wildcards.figure}"
    shell:
        "centigan figure {wildcards.figure} -e {wildcards.experiment}"
        " --settings {params.settings:q} --log {log:q}"


rule report:
    input:
        classes=of_protocol("results/{home}/classes.csv"),
        source=of_protocol("results/{protocol}/source.json"),
        summary="results/{experiment}/summary.json",
        tables=of_all_tables("results/{experiment}/tables/{table}"),
        comparison="results/{experiment}/tables/comparison.csv",
        measured=measured_of,
        latent=walks_of,
        figures=of_all_figures("results/{experiment}/figures/{figure}.svg"),
        pictures=of_all_figures("results/{experiment}/figures/{figure}.png"),
        judge=judge_of_tables,
        text=text_of_report,
        trained=of_all_splits("results/{experiment}/train/{split}/manifest.json"),
        arrays=of_all_splits("results/{home}/arrays/{split}/SHA256SUMS"),
        converted=of_all_splits("results/{home}/arrays/{split}/manifest.json"),  # and left out
        samples=of_all_splits("results/{experiment}/samples/{split}/SHA256SUMS"),
    output:
        page="results/{experiment}/report/index.html",
        digests="results/{experiment}/report/SHA256SUMS",  # of all other files of the site
    log:
        "logs/{experiment}/report.log",
    params:
        settings=every_setting,
        code=source_of("reporting.site"),
    message:
        "the report"
    shell:
        "centigan report -e {wildcards.experiment} --log {log:q}"
