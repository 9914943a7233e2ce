# Two commands matter: `make run` and `make test`. The rest is for people who change the code.
.DEFAULT_GOAL := help
.SHELLFLAGS := -eu -c

VENV := .venv
BIN := $(VENV)/bin
# The first Python that is new enough, by trying it: a shim on the PATH may stand for a version that is not installed.
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 /usr/bin/python3,$(shell \
	$(name) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
DATA ?= $(CURDIR)/.tenet
run_options = $(if $(PORT),--port $(PORT)) --data-dir "$(DATA)" $(if $(READY),--ready-file "$(READY)") \
	$(if $(value REPO),--repo "$$REPO") $(if $(value BRANCH),--branch "$$BRANCH")

.PHONY: help setup run test check lint types schema bench conformance migration lock format clean

help: ## list these commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20
	@echo
	@echo "  make run takes REPO=<path or git URL>, BRANCH=, PORT=, DATA=<directory> and READY=<file>;"
	@echo "  make test takes ARGS=<for pytest>"

setup: $(VENV)/.ready ## make the virtual environment with the locked dependencies

$(VENV)/.ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Tenet needs Python 3.11 or newer with its venv module; set PYTHON= to one." >&2; exit 1; }
	@echo "Setting up $(VENV) (about a minute, the first time only) ..."
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: setup ## run everything: PostgreSQL, Redis, migrations, API and worker
	@exec $(BIN)/tenet run $(run_options)

test: setup ## run the whole suite
	@$(BIN)/python -m pytest -n auto $(ARGS)

check: lint types ## lint, types, floors and the printed schema
	@$(BIN)/lint-imports --no-cache >/dev/null || $(BIN)/lint-imports --no-cache
	@$(BIN)/tenet schema --check

lint: setup ## ruff
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "run: make format"; exit 1; }

types: setup ## mypy, strict
	@$(BIN)/mypy

schema: setup ## print the schema of the code to schema.graphql
	@printed=$$($(BIN)/tenet schema) && printf '%s\n' "$$printed" > schema.graphql

bench: setup ## measure reads and subscriptions, side by side with the baselines
	@$(BIN)/python -m tests.bench $(ARGS)
	@$(BIN)/python -m tests.bench.mining $(REPOSITORIES)
	@$(BIN)/python -m tests.bench.live
	@$(BIN)/python -m tests.bench.index

conformance: setup ## point outside judges and real clients at the wire (needs Node and npm)
	@$(BIN)/python -m tests.conformance $(ARGS)

format: setup ## format the code
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --fix --quiet .

migration: setup ## write the migration from the last one to the models: make migration NAME="add colour to patterns"
	@test -n "$(NAME)" || { echo 'usage: make migration NAME="what it does"' >&2; exit 2; }
	@TENET_DATA_DIR="$(DATA)" $(BIN)/tenet migrate
	@TENET_DATA_DIR="$(DATA)" $(BIN)/alembic revision --autogenerate -m "$(NAME)"

lock: setup ## resolve the dependencies anew
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-annotate --all-extras --custom-compile-command "make lock" \
		-o requirements.lock $(if $(UPGRADE),--upgrade) pyproject.toml

clean: ## remove what these commands made, data included
	@rm -rf $(VENV) "$(DATA)" .mypy_cache .ruff_cache
