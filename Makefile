# Two commands for people: `make demo` and `make test`. Everything else serves these.
SHELL := /bin/bash
# An interpreter that another user can run: a Python below /root cannot be run by the hands.
PYTHON ?= $(shell for p in /usr/local/bin/python3 /usr/bin/python3 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help demo test lint format lock
help: ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/' | expand -t 12

demo: .venv/.demo ## the whole thing on this machine; SERVE=1 keeps the pages up, LIVE=1 runs on Claude
	@scripts/hands-tools.sh "$(PYTHON)"
	@$(BIN)/autonomous-loop demo $(if $(SERVE),--serve) $(if $(LIVE),--live) $(if $(PORT),--port $(PORT)) $(if $(FOLDER),--folder $(FOLDER))

test: .venv/.dev lint ## every check and test
	@scripts/hands-tools.sh "$(PYTHON)"
	@PYTHONPATH=tests $(BIN)/python -m contract.fetch_all
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n 2 --dist loadfile -m "not e2e $$(scripts/markers.sh 2>/dev/null)" $(ARGS)
	@# Whole loops one after the other: their sessions have deadlines of seconds.
	$(BIN)/coverage run -m pytest -m "e2e $$(scripts/markers.sh)" $(ARGS)
	@# No check of the verifier may be removable without a case of the corpus that notices.
	$(BIN)/python tests/verify/mutations.py
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

WORKFLOWS := $(wildcard .github/workflows/*.yml examples/workflows/*.yml examples/workflows/host/*.yml examples/workflows/own-image/workflow.yml)
ACTIONS := action.yml $(wildcard */action.yml)
SCRIPTS := .ci/run $(wildcard scripts/*.sh tests/*.sh host/*.sh)

lint: .venv/.dev ## ruff, mypy, the import contract; workflows, actions, Dockerfile, scripts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/tables.py --check
	$(BIN)/shellcheck $(SCRIPTS)
	$(BIN)/actionlint -shellcheck $(BIN)/shellcheck -pyflakes "" $(WORKFLOWS)
	$(BIN)/zizmor --offline --quiet --no-progress $(WORKFLOWS) $(ACTIONS) .github/dependabot.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows $(WORKFLOWS)
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-actions $(ACTIONS)
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/hadolint $(wildcard Dockerfile examples/workflows/own-image/Dockerfile)

format: .venv/.dev ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.venv/.demo: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer, with venv, was not found." >&2; \
	  echo "  What to do: install it (Debian: apt-get install python3-venv) or say PYTHON=/path/to/python3" >&2; exit 2; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv .venv
	@echo "installing the locked requirements" >&2
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: .venv/.demo requirements-dev.lock
	@echo "installing the locked development requirements" >&2
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

COMPILE := uv pip compile -q --universal --generate-hashes --no-header --no-annotate --no-strip-extras --python-version 3.11
lock: ## make the four lock files anew (needs uv)
	$(COMPILE) --extra demo --group build pyproject.toml -o requirements.lock
	$(COMPILE) --extra demo --extra cloud --group build --group dev pyproject.toml -o requirements-dev.lock
	$(COMPILE) --extra cloud --group build --no-emit-package playwright --no-emit-package pyee --no-emit-package greenlet \
		-c requirements-dev.lock pyproject.toml -o requirements-image.lock
	$(COMPILE) --group hands -o requirements-hands.lock
