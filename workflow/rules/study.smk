if STUDY:
    BATTLE = ["battle.csv", "battle.svg", "battle.png"] if read_study(STUDY).battle else []

    localrules:
        publish_study,  # as publish

    rule study:
        input:
            summaries=of_every_experiment("results/{experiment}/summary.json"),
            absent=of_every_experiment("results/{experiment}/tables/absent.csv"),
            samples=of_every_experiment(RESULT_OF["sample"]),
            networks=of_every_experiment(RESULT_OF["train"]),
            bounds=[path for experiment in EXPERIMENTS for path in telling_bounds(experiment)],
        output:
            table=f"results/{PROTOCOL}/{STUDY}/table.csv",
            latex=f"results/{PROTOCOL}/{STUDY}/table.tex",
            points=f"results/{PROTOCOL}/{STUDY}/points.csv",
            claims=f"results/{PROTOCOL}/{STUDY}/claims.csv",
            figures=expand(
                f"results/{PROTOCOL}/{STUDY}/{{figure}}.{{suffix}}",
                figure=("figure", "samples"),
                suffix=("svg", "png"),
            ),
            battle=expand(f"results/{PROTOCOL}/{STUDY}/{{file}}", file=BATTLE),
            page=f"results/{PROTOCOL}/{STUDY}/report/index.html",
            digests=f"results/{PROTOCOL}/{STUDY}/report/SHA256SUMS",  # of all other files of the site
        log:
            f"logs/{PROTOCOL}/{STUDY}/study.log",
        params:
            study=STUDY,
            settings=settings_of_study,
            code=source_of("reporting.studies"),
        message:
            "the study {params.study}"
        shell:
            "centigan study {params.study} --log {log:q}"

    rule publish_study:
        input:
            table=rules.study.output.table,
            latex=rules.study.output.latex,
            points=rules.study.output.points,
            claims=rules.study.output.claims,
            figures=rules.study.output.figures,
            battle=rules.study.output.battle,
            digests=rules.study.output.digests,
        output:
            f"results/{PROTOCOL}/{STUDY}/mlflow.json",
        log:
            f"logs/{PROTOCOL}/{STUDY}/publish_study.log",
        params:
            study=STUDY,
            settings=settings_of_study,
            attempt=attempt,
            code=source_of("tracking.study"),
        message:
            "publish the study {params.study} to MLflow"
        shell:
            "centigan track-study {params.study} --attempt {params.attempt} --log {log:q}"
