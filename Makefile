# Everything a person or the CI runs. Bare `make` prints this list.
PYTHON ?= python3
BIN    := .venv/bin
STAMP  := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo fmt lint type test e2e bench image check-generated lock clean

help: ## Show what can be made
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

setup: $(STAMP) ## Make .venv with everything locked (the other targets do it for you)

$(STAMP): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "make setup: $(PYTHON) cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make setup: Python 3.11 or newer is needed; choose one with make PYTHON=..." >&2; exit 1; }
	@echo "Setting up .venv (once) ..."
	@$(PYTHON) -m venv --clear .venv && $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable . && touch $@

demo: $(STAMP) ## The main job: fulfil a Promise into a Git state store (run it twice)
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh tests/demo.sh

fmt: $(STAMP) ## Format the code
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --fix --quiet .

lint: $(STAMP) ## Check style and layers
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet . && $(BIN)/lint-imports

type: $(STAMP) ## Check types: mypy over everything, pyright over the rooms
	@$(BIN)/mypy && $(BIN)/pyright

test: $(STAMP) ## Run every test
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pytest $(ARGS)

e2e: $(STAMP) ## Run the tests with a real Kubernetes API server, built the first time (ARGS=)
	@PYTHONPATH=tests $(BIN)/python -m support.tools
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pytest tests/e2e $(ARGS)

bench: $(STAMP) ## Measure; tables on the screen, JSON in build/bench.json
	@PYTHONPATH=tests $(BIN)/python -m bench.run $(ARGS)

image: $(STAMP) ## Build the stage image and measure it (BASE_IMAGE=, IMAGE_TAG=, IMAGE_BUILDER=)
	@PYTHONPATH=tests $(BIN)/python -m image.build

check-generated: $(STAMP) ## Fail when a schema, a CRD or golden output is stale (to write them: python tests/generated.py --write && troth test promises/* --update)
	@$(BIN)/python tests/generated.py --check
	@said=$$($(BIN)/troth test promises/* 2>&1) || { printf "%s\n" "$$said"; exit 1; }

lock: ## Resolve the locked versions anew (needs uv)
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --python-version 3.11 pyproject.toml --output-file requirements.lock
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --python-version 3.11 --group dev --extra controller pyproject.toml --output-file requirements-dev.lock
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --python-version 3.11 --constraint requirements.lock --group stage --output-file requirements-stage.lock

clean: ## Remove what was made
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
