if HOMES:

    rule group:
        input:
            classes=f"results/{PROTOCOL}/classes.csv",
            features=features_of_classes,
        output:
            classes="results/{protocol}/classes.csv",
        log:
            "logs/{protocol}/group.log",
        wildcard_constraints:
            protocol=OTHER_HOME,
        params:
            settings=stage("group"),
            code=source_of("grouping"),
        message:
            "which classes share a model: {wildcards.protocol}"
        shell:
            "centigan group -e {wildcards.protocol} --settings {params.settings:q} --log {log:q}"

    rule gather:
        input:
            every=f"results/{PROTOCOL}/classes.csv",
            arrays=arrays_of_classes,
            classes="results/{protocol}/classes.csv",
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
        wildcard_constraints:
            protocol=OTHER_HOME,
        params:
            code=source_of("grouping"),
        message:
            "arrays of split {wildcards.split} of {wildcards.protocol}"
        shell:
            "centigan arrays -e {wildcards.protocol} -s {wildcards.split} --log {log:q}"
