# `make demo` shows the product, `make check` is for working on it, `make test` is what CI runs. Each
# target makes the virtual environment first.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
# A file's tests share its fixtures, and the files that take longest come first.
CORES = $(shell $(BIN)/python -c 'import os; print(os.cpu_count())')
PYTEST = $(BIN)/python -m pytest --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help demo check test all-tests lint types ruff imports format bench docs clean

help: ## what there is to make
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, this is " + sys.version + ". Set PYTHON=/path/to/python3.11.")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing freqtrade_mem0 into $(VENV) (once; one to three minutes) ..."
	@$(PIP) --editable .
	@$(BIN)/python -m compileall -q freqtrade_mem0
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	@echo "Installing what the tests need into $(VENV) (once) ..."
	@$(PIP) --editable ".[dev]"
	@touch $@

demo: $(VENV)/.runtime ## a real backtest with and without memory, on generated candles
	@$(BIN)/freqtrade-mem0 demo

check: lint ## ruff, mypy, import rules, unit and property tests (a few minutes)
	$(PYTEST) -n $$(($(CORES) + 1)) -m "not flow" --hypothesis-profile quick tests/unit tests/property

test: $(VENV)/.dev ## what CI runs: the same, and all other tests, with real Freqtrade processes (about ten minutes)
	@$(MAKE) --no-print-directory --jobs 3 types all-tests

# Beside mypy, which keeps one core busy. Two processes more than there are cores, as tests with real
# bots wait much of their time.
all-tests: ruff imports tests/__pycache__
	$(PYTEST) -n $$(($(CORES) + 2))

lint: $(VENV)/.dev ## ruff, mypy and the import rules of docs/architecture.md
	@$(MAKE) --no-print-directory --jobs 2 types ruff imports

types: $(VENV)/.dev
	$(BIN)/mypy

ruff: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

imports: $(VENV)/.dev
	$(BIN)/lint-imports --no-logo

# On a fresh machine, pytest compiles the tests here while mypy leaves a core free. Otherwise each of its
# processes would do so.
tests/__pycache__: | $(VENV)/.dev
	-@$(BIN)/python -m pytest --collect-only -qq >/dev/null 2>&1

format: $(VENV)/.dev ## let ruff fix and format what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev ## all benchmarks and a table of them; BENCH="backtest decision" picks some
	@$(BIN)/python -m benchmarks.run $(BENCH)

docs: $(VENV)/.dev ## build the documentation as a site into .site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

clean: ## remove the virtual environment, the demo's files and caches
	rm -rf $(VENV) .site .bench .demo* .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
