# Matrix Census. `make help` lists what there is. Everything is installed into this folder (.tools, .venv).

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := PYTHONPATH=.tools $(PYTHON) -m uv
CENSUS := $(BIN)/matrix-census
ARGS ?=

# Where this is set, as it is in many a container and CI, every process compiles all that it imports anew: whole seconds.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test check lint types imports unit crawls programs rest coverage screenshots \
        endurance test-duckdb2 notebooks browser-engine census-of-synapse lock clean

help: ## this list
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

demo: setup ## take a census of the practice federation and serve it (ARGS=--no-serve ends after printing)
	$(CENSUS) demo $(ARGS)

test: setup-dev browser-engine ## set up and run everything: lint, types, imports, tests, notebooks, browser
	$(MAKE) --no-print-directory check

setup: .stamps/runtime ## install what is needed to run

setup-dev: .stamps/dev ## install what is needed to work on it

.tools/uv/__main__.py:
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --target .tools 'uv>=0.9,<1'

$(BIN)/python: | .tools/uv/__main__.py
	$(UV) venv --quiet --python $(PYTHON) $(VENV)

.stamps/runtime: requirements.lock requirements-dev.lock pyproject.toml | $(BIN)/python
	@mkdir -p .stamps
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --build-constraints requirements-dev.lock -e .
	@touch $@

.stamps/dev: requirements-dev.lock pyproject.toml | .stamps/runtime
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

browser-engine: .stamps/dev ## bring a Chromium for the browser tests
	$(BIN)/python -m tests.browser_engine

COVERED := $(BIN)/coverage run -m pytest
# Tests that run whole programs mostly wait for them, so these parts go side by side with the rest, which computes.
CRAWLS := tests/census
PROGRAMS := tests/synapse tests/e2e
# What they print is shown when they end, so that the longest can tell of itself meanwhile.
GATHERED = > test-artifacts/$@.txt 2>&1; passed=$$?; cat test-artifacts/$@.txt; exit $$passed

check: ## the gate, with everything installed already
	rm -f .coverage .coverage.*
	@$(MAKE) --no-print-directory -j3 lint types imports crawls rest programs notebooks
	@$(MAKE) --no-print-directory coverage

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

imports:
	@$(BIN)/lint-imports --no-logo || { $(BIN)/lint-imports; exit 1; }

unit: ## the tests with branch coverage (ARGS: of pytest, for one part of them)
	rm -f .coverage .coverage.*
ifeq ($(strip $(ARGS)),)
	@$(MAKE) --no-print-directory -j3 crawls rest programs
else
	$(COVERED) $(ARGS)
endif
	@$(MAKE) --no-print-directory coverage

crawls:
	@mkdir -p test-artifacts
	@$(COVERED) $(CRAWLS) $(GATHERED)

programs:
	@mkdir -p test-artifacts
	@$(COVERED) $(PROGRAMS) $(GATHERED)

rest:
	$(COVERED) tests $(CRAWLS:%=--ignore=%) $(PROGRAMS:%=--ignore=%)

coverage:
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered --skip-empty | tail -n 40

test-duckdb2: .stamps/dev ## the tests of the store on DuckDB 2, beside the locked one
	$(UV) pip install --quiet --target .tools/duckdb2 --no-deps 'duckdb>=2,<3'
	PYTHONPATH=.tools/duckdb2 $(BIN)/python -m pytest tests/store $(ARGS)

notebooks: ## run the notebooks on a small census of the practice federation
	rm -rf test-artifacts/notebooks
	$(CENSUS) demo --no-serve --servers 60 --days 14 --db test-artifacts/notebooks/census.duckdb > /dev/null
	MATRIX_CENSUS_DB=$(CURDIR)/test-artifacts/notebooks/census.duckdb \
	    $(BIN)/python -m pytest -o trio_mode=false --nbmake notebooks

screenshots: setup-dev browser-engine ## the pictures of the README, of a census of the practice federation
	$(BIN)/python -m tests.screenshots

endurance: .stamps/dev ## run the long form of the tests that try random moments; writes docs/endurance.md (ARGS: of pytest)
	$(BIN)/python -m tests.endurance $(ARGS)

census-of-synapse: setup-dev ## crawl two real Synapse homeservers and leave the file to look at
	$(BIN)/python -m tests.synapse.census_of_synapse $(ARGS)

lock: | .tools/uv/__main__.py ## renew the hashed locks from pyproject.toml
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-find-links --constraint requirements.constraints pyproject.toml -o requirements.lock
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-find-links --constraint requirements.lock pyproject.toml --group dev -o requirements-dev.lock

clean: ## remove everything that was built or installed here; census files stay
	rm -rf .venv .tools .stamps .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage* \
	    htmlcov dist test-artifacts demo synapse-census
