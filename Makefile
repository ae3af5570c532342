# Two commands matter to a newcomer: `make demo` and `make test`. Both prepare what they need by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo test check bench simulate requirements clean
.DEFAULT_GOAL := help

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The environment is made once per set of pinned requirements; every package is checked against its hash.
$(VENV)/.run: requirements/run.txt pyproject.toml
	@echo "making $(VENV) with what a node needs (once) ..."
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Comity needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/run.txt
	@echo "$(CURDIR)/src" > "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/comity.pth"
	@printf '#!%s\nimport sys\nfrom comity.cli.main import main\nsys.exit(main())\n' "$(CURDIR)/$(BIN)/python" > $(BIN)/comity
	@chmod +x $(BIN)/comity
	@touch $@

$(VENV)/.develop: $(VENV)/.run requirements/develop.txt
	@echo "adding what the tests need (once) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/develop.txt
	@touch $@

demo: $(VENV)/.run ## run the agreement of 2016 between two nodes on this machine (FILE=... gives your own file)
	@$(BIN)/comity demo $(FILE)

test: $(VENV)/.develop ## run every test
	@$(BIN)/python -m pytest -n 2 $(ARGS)

check: $(VENV)/.develop ## lint, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(VENV)/.develop ## measure against named peers in one run and print the ratios
	@$(BIN)/python -m benchmarks $(ARGS)

simulate: $(VENV)/.develop ## run the simulated world from a seed: make simulate SEED=7 STEPS=2000
	@$(BIN)/python -m tests.simulation --seed $(or $(SEED),1) --steps $(or $(STEPS),2000)

requirements: ## pin the requirements again, with hashes (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make requirements" requirements/run.in -o requirements/run.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make requirements" requirements/develop.in -o requirements/develop.txt

clean: ## remove what was made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
