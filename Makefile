# Every target does its own set-up: a virtual environment in .venv, made anew when pyproject.toml or the pins change.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
BUDGET ?= 5gflops
SEARCH ?=

.PHONY: help setup test test-slow lint bench search clean
.DEFAULT_GOAL := help

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/:/' | awk -F: '{printf "  make %-10s %s\n", $$1, $$2}'
	@printf '\n  make search BUDGET=3gflops SEARCH="--stages 5 --trials 50"   passes options on\n'

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'error: Python 3.11 or newer is needed; name one with PYTHON=python3.x' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,all]'
	@touch $@

setup: $(READY)  ## Make the virtual environment in .venv

search: $(READY)  ## Search a network under a budget: make search BUDGET=5gflops
	$(BIN)/python -m explorer.search --budget $(BUDGET) $(SEARCH)

test: $(READY)  ## Run the tests but for the slow ones, some ten minutes
	$(BIN)/python -m pytest -n 2 --dist worksteal -m 'not slow'

test-slow: $(READY)  ## Run the slow tests: large networks, exports, compilers
	$(BIN)/python -m pytest -n 2 --dist worksteal -m slow

lint: $(READY)  ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)  ## Measure speed, as ratios within one run
	$(BIN)/python -m benchmarks

clean:  ## Remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
