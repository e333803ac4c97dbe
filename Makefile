# Two commands for people: `make demo` and `make test`. Everything else serves these.
SHELL := /bin/bash
# An interpreter that another user can run: a Python below /root cannot be run by the hands.
PYTHON ?= $(shell for p in /usr/local/bin/python3 /usr/bin/python3 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
BIN := .venv/bin

.PHONY: help lock
help: ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/' | expand -t 16

.venv/.demo: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer, with venv, was not found: install it (Debian: apt-get install python3-venv) or say PYTHON=/path/to/python3" >&2; exit 2; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv .venv
	@echo "installing the locked requirements"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: .venv/.demo requirements-dev.lock
	@echo "installing the locked development requirements"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

lock: ## make the three lock files anew (needs uv)
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --extra local --group build pyproject.toml -o requirements.lock
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --extra local --group build --group dev pyproject.toml -o requirements-dev.lock
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --group hands -o requirements-hands.lock
