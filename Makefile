# Each target sets up .venv by itself, and again only when the requirements change.

PYTHONS ?= python3.11 python3.12 python3.13 python3
BIN := .venv/bin
READY := .venv/.ready

# Older pips read the first for the build back end too, newer ones the second.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test check bench faults soak fuzz docs clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## Load the example plan into build/demo and show it
	@rm -rf build/demo
	@$(BIN)/govledger demo build/demo

test: $(READY) ## Run the tests
	@$(BIN)/python -m pytest

check: $(READY) ## Check style, types, import rules and generated pages
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m cli.reference --check

bench: $(READY) ## Run the benchmarks
	@$(BIN)/python -m pip install --quiet --editable '.[bench]'
	@$(BIN)/python -m benchmarks

faults: $(READY) ## Inject a fault at every write (Linux, a C compiler)
	@$(BIN)/python -m faults
	@$(BIN)/python -m faults.server

soak: $(READY) ## Let many write and read at once, for long
	@$(BIN)/python -m faults.soak

fuzz: $(READY) ## Fuzz every parser of bytes from outside
	@$(BIN)/python -m pip install --quiet --editable '.[fuzz]'
	@$(BIN)/python -m faults.fuzz

docs: $(READY) ## Write the generated pages anew
	@$(BIN)/python -m cli.reference

clean: ## Remove all that these targets make
	@rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing into .venv"
	@$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

# An old python3 and one without venv are passed over alike.
$(BIN)/pip:
	@for python in $(PYTHONS); do \
	    if $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	    then exec $$python -m venv --clear .venv; fi; \
	done; \
	echo "No Python 3.11 or newer with venv found (tried: $(PYTHONS))." >&2; \
	echo "Install one, or name yours: make PYTHONS=/path/to/python3" >&2; \
	exit 1
