# make demo | pull | compare | test | test-cluster | test-long | golden | check | ui | clean: each sets the environment up first, once
PYTHON ?= python3
PORT ?= 5000
BIN := .venv/bin
HEADLINES := (bits_per_dim/held_out|with_noise/fid|inception_score/fresh|(fid|kid|precision|recall|cas)/generated|ms_ssim/(training|generated)/mean|accuracy/share_below_diagonal|neighbours/duplicates/generated)$$
export XDG_CACHE_HOME := $(CURDIR)/.snakemake/cache
export MPLCONFIGDIR := $(CURDIR)/.snakemake/matplotlib

.PHONY: demo pull compare test test-cluster test-long golden check ui clean

demo: .venv/installed
	$(BIN)/snakemake --cores all --config experiment=digits/acgan
	@echo
	@echo "Report:  file://$(CURDIR)/results/digits/acgan/report/index.html"
	@echo "MLflow:  make ui"

# what a reader of a published run needs: tables, figures, the page; `dvc pull` brings the rest
pull: .venv/installed
	$(BIN)/dvc pull report publish

test: .venv/installed
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder --ignore tests/cluster -m 'not faults'

# `dvc exp show` has 260 columns, and DVC no setting for that: a dozen measurements, and the settings that differ
compare: .venv/installed
	$(BIN)/dvc exp show --only-changed --keep '$(HEADLINES)' --drop '(?!experiments/).*/|experiments/[^.]+$$|Snakefile'

# starts a real Slurm on this machine; needs root and Debian's packages that .ci/run names
test-cluster: .venv/installed
	$(BIN)/pytest tests/cluster

# what takes minutes each or together: every edit, faults of the cluster and of the tracking server; an hour
test-long: .venv/installed
	$(BIN)/pytest -m faults

# which bytes of a tiny run changed since a commit: make golden SINCE=HEAD~3
golden: .venv/installed
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/python tests/golden/compare.py $(SINCE)

check: .venv/installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

# workflowType opens the list of runs; without job execution no worker outlives the server
ui: .venv/installed
	@$(BIN)/python -c 'import socket; socket.create_server(("127.0.0.1", $(PORT))).close()' 2>/dev/null || \
	  { echo "error: port $(PORT) of 127.0.0.1 is taken or not allowed; take another: make ui PORT=$$(($(PORT) + 1))" >&2; exit 1; }
	@echo "Open http://127.0.0.1:$(PORT)/#/experiments?workflowType=machine_learning"
	MLFLOW_DISABLE_TELEMETRY=true MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false \
	  $(BIN)/mlflow ui --backend-store-uri sqlite:///mlflow.db --host 127.0.0.1 --port $(PORT) --workers 1

clean:
	rm -rf results scratch logs .snakemake

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11, 4))' || \
	  { echo "centigan needs Python >= 3.11.4; name one: make PYTHON=python3.12"; exit 1; }
	@echo "setting up .venv: about 7 GB, minutes" >&2
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@# what draws `dvc plots show` without a network (.dvc/plots.html)
	@ln -sfn "$$($(BIN)/python -c 'from importlib.resources import files; print(files("snakemake") / "assets/data")')" .venv/vega
	@touch $@
