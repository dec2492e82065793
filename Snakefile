include: "workflow/Snakefile"


# An included file's default target does not become that of the including file.
rule everything:
    default_target: True
    input:
        rules.all.input,
