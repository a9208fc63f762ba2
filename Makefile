PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.PHONY: app test train bench real field stress tables docs lint size

app: .venv/installed        ## open the page
	$(BIN)/streamlit run app.py

test: .venv/developing      ## what CI runs
	$(BIN)/pytest

train: .venv/installed      ## the best model, from QMNIST
	$(BIN)/qdigits train default

bench: .venv/developing     ## speed: ours, the rivals, the ratio
	$(BIN)/python -m bench.speed

real: .venv/developing      ## accuracy on digits from other hands
	$(BIN)/python -m bench.accuracy.external_sets

field: .venv/developing     ## accuracy on pages, digits and things from the field; DATA_DIR=... where they lie
	$(BIN)/python -m bench.accuracy.field $(if $(DATA_DIR),--data-dir $(DATA_DIR))

stress: .venv/developing    ## faults by the thousand; ONLY="kills or disk" COUNT=50
	$(BIN)/pytest -m stress tests/stress $(if $(ONLY),-k "$(ONLY)") $(if $(COUNT),--count $(COUNT))

tables: .venv/developing    ## the README's tables and pictures, from what the commands wrote
	$(BIN)/python -m tools.build_tables
	$(BIN)/python -m tools.build_screenshots

docs: .venv/developing       ## the documentation site, in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

lint: .venv/developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

size:                       ## how the code reads: lines, density, names, arrows
	@$(PYTHON) -m tools.measure_size

# Installed once, and again only when what is asked for has changed.
.venv/installed: requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -r requirements.txt
	touch $@

.venv/developing: .venv/installed
	$(BIN)/pip install --quiet -r requirements.txt -e ".[dev]"
	touch $@
