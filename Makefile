PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PORT ?= 8501

.PHONY: help app test train bench real field stress tables docs lint size

help:                       ## this list
	@sed -nE 's/^([a-z]+): .*## /  make \1\t/p' Makefile | expand -t 16

app: .venv/page             ## open the page; the first time it is installed, about 750 MB
	@echo
	@echo "The page opens at http://localhost:$(PORT), and Ctrl-C ends it."
	@echo "For the command, type in another terminal, in this folder:"
	@echo "    source .venv/bin/activate"
	@echo "    qdigits read examples/seven.png"
	@echo "Training, and teaching the page your handwriting, need PyTorch: make train brings it."
	@echo
	@$(BIN)/streamlit run app.py --server.port=$(PORT)

train: .venv/training       ## train the default model from QMNIST; brings PyTorch
	$(BIN)/qdigits train default

test: .venv/developing      ## all tests, on all cores, as CI runs them; brings PyTorch and the tools
	$(BIN)/pytest --numprocesses=logical --dist=loadfile --no-loadscope-reorder

lint: .venv/developing      ## what CI checks before the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/developing     ## speed: ours, the rivals, the ratio; DATA_DIR=... where MNIST lies
	$(BIN)/python -m bench.speed $(if $(DATA_DIR),--data-dir $(DATA_DIR))

real: .venv/developing      ## accuracy on digits from elsewhere; DATA_DIR=... where they lie
	$(BIN)/python -m bench.accuracy.external_sets $(if $(DATA_DIR),--data-dir $(DATA_DIR))

field: .venv/developing     ## accuracy on pages from the field; DATA_DIR=... where they lie
	$(BIN)/python -m bench.accuracy.field $(if $(DATA_DIR),--data-dir $(DATA_DIR))

stress: .venv/developing    ## faults by the thousand; ONLY="kills or disk" COUNT=50
	$(BIN)/pytest -m stress tests/stress $(if $(ONLY),-k "$(ONLY)") $(if $(COUNT),--count $(COUNT))

tables: .venv/developing    ## the tables and pictures of the documents, from what was measured
	$(BIN)/python -m tools.build_tables
	$(BIN)/python -m tools.build_cli_docs
	$(BIN)/python -m tools.build_screenshots

docs: .venv/developing      ## the documentation site, in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

size:                       ## how the code reads: lines, density, names, arrows
	@$(PYTHON) -m tools.measure_size

# Each of these installs once, and again only when what is asked for has changed.
.venv/page: requirements.txt pyproject.toml
	@echo "Installing the page into .venv, without PyTorch: about 750 MB, one to three minutes."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/training: .venv/page requirements-train.txt
	@echo "Installing PyTorch into .venv, some minutes. On Linux the ordinary build is for GPUs and takes"
	@echo "about 6 GB. For the CPU build, 0.8 GB: stop here with Ctrl-C, install torch into .venv as"
	@echo "https://pytorch.org/get-started/locally/ says, and type the same make again."
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-train.txt
	@touch $@

.venv/developing: .venv/training
	@echo "Installing the tools for tests, documents and benchmarks into .venv."
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-train.txt -e ".[dev]"
	@touch $@
