# Set-up, tests and thin names for the scripts. `make` alone lists the targets.
#
# The virtual environment is .venv. Each stamp in it is written last, once its step is complete, so an interrupted set-up is
# repaired by the next run and a complete one takes no time. A .venv that doesn't run (moved checkout, Python gone) is made anew.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PY := .venv/bin/python
# Installed first and compiled then, on all cores: half the time that pip takes for both (25 s instead of 70).
PIP_INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes
COMPILE := $(PY) -m compileall -qq -j 0 .venv/lib || true # a file that is no Python here is skipped
# "" while .venv runs as it should; else a prerequisite that makes every step of the set-up run again.
BROKEN := $(shell $(PY) -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || echo broken-venv)

ARGS ?=# e.g. make status ARGS=--json

.PHONY: help setup setup-dev cli enable disable status preview traces destroy test bench profile lint types lock vendor clean broken-venv

help: ## list the targets
	@echo "make enable   turns tracing on in all four stacks, on the embedded AWS, from nothing"
	@echo "make test     runs lint, types and all tests, from nothing"
	@echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 11

enable: setup ## turn tracing on (make enable ARGS="crystal" for one service)
	@$(PY) automation/enable.py --yes $(ARGS)

disable: setup ## turn tracing off
	@$(PY) automation/disable.py --yes $(ARGS)

status: setup ## show what is traced, in configuration and in AWS
	@$(PY) automation/status.py $(ARGS)

preview: setup ## show what enable would change
	@$(PY) automation/preview.py $(ARGS)

traces: setup ## show the service map of X-Ray (make traces ARGS="list --last 1h" for more)
	@$(PY) automation/traces.py $(or $(ARGS),map)

destroy: setup ## take all stacks down
	@$(PY) automation/destroy.py --yes $(ARGS)

test: lint types ## lint, types and all tests (make test ARGS="-k collector" for some)
	@echo "Tests: about 20 min on two cores …"
	@$(PY) -m pytest $(ARGS)

bench: setup-dev ## figures, each beside a baseline (make bench ARGS=--quick)
	@$(PY) -m bench $(ARGS)

profile: setup-dev ## where the time of a flip goes
	@$(PY) -m bench.profile

lint: setup-dev ## ruff: rules and format
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

types: setup-dev ## mypy, strict
	@$(PY) -m mypy
	@cd pulumicli/host && ../../$(PY) -m mypy --config-file ../../pyproject.toml *.py
	@cd .github/scripts && ../../$(PY) -m mypy --config-file ../../pyproject.toml *.py

setup: .venv/.runtime cli ## virtual environment, locked packages, Pulumi CLI

setup-dev: setup .venv/.dev ## the same and what the tests need

cli: .venv/.runtime
	@$(PY) -m pulumicli > /dev/null

.venv/.python: $(BROKEN)
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3 python; do \
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "Python 3.11 or newer is needed, and none is on PATH. Install one: sudo apt-get install python3 python3-venv" >&2; \
	    echo "(on macOS: brew install python), or name one: make PYTHON=/path/to/python3" >&2; \
	    exit 2; \
	fi; \
	echo "Virtual environment .venv with $$($$found --version) (about 10 s) …"; \
	rm -rf .venv; \
	if ! $$found -m venv .venv; then \
	    rm -rf .venv; \
	    echo "$$found can't make virtual environments. Install what it lacks: sudo apt-get install python3-venv" >&2; \
	    exit 2; \
	fi
	@touch $@

.venv/.runtime: requirements.txt .venv/.python
	@echo "Python packages (350 MB unpacked, about 2 min) …"
	@$(PIP_INSTALL) -r requirements.txt
	@$(COMPILE)
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.runtime
	@echo "Packages for tests, lint and types (about 30 s) …"
	@$(PIP_INSTALL) -r requirements-dev.txt
	@$(COMPILE)
	@touch $@

broken-venv:

lock: setup-dev ## bring requirements*.txt up to requirements*.in
	@for set in requirements requirements-dask requirements-dev; do \
	    echo "Locking $$set.in (about 1 min) …"; \
	    CUSTOM_COMPILE_COMMAND="make lock" $(PY) -m piptools compile --quiet --allow-unsafe --generate-hashes --strip-extras \
	        --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file $$set.txt $$set.in || exit; \
	done

vendor: .venv/.python ## copy the review page's libraries from npm anew (npm needed)
	@$(PY) traces/page/vendor/build.py

clean: ## delete the virtual environment and caches; stacks and the embedded AWS stay (see make destroy)
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
