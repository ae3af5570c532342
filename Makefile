# Two commands matter to a newcomer: `make demo` and `make test`. Both prepare what they need by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OTHER := .venv-other
INTEROP := tests/seal/interop
AXE := tests/browser
INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes --requirement
# Programs that the environment brings (comity, and Node.js where the machine has none) come before the machine's own.
WITH_ENVIRONMENT := PATH="$(CURDIR)/$(BIN):$$PATH"

.PHONY: help demo demo-feed test check coverage bench simulate endure fuzz schema words interop other-python release audit requirements clean
.DEFAULT_GOAL := help

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Our own code is used from src, not copied.
define use_source
	@echo "$(CURDIR)/src" > "$$($(1)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/comity.pth"
endef

# The environment is made once per set of pinned requirements; every package is checked against its hash.
$(VENV)/.run: requirements/run.txt
	@echo "making $(VENV) with what a node needs (once) ..."
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Comity needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(INSTALL) requirements/run.txt
	$(call use_source,$(VENV))
	@printf '#!%s\nimport sys\nfrom comity.cli.main import main\nsys.exit(main())\n' "$(CURDIR)/$(BIN)/python" > $(BIN)/comity
	@chmod +x $(BIN)/comity
	@touch $@

$(VENV)/.develop: $(VENV)/.run requirements/develop.txt
	@echo "adding what the tests need (once) ..."
	@$(BIN)/python $(INSTALL) requirements/develop.txt
	@touch $@

$(VENV)/.doors: $(VENV)/.run requirements/doors.txt
	@echo "adding what reads ASTERIX and signed alerts (once) ..."
	@$(BIN)/python $(INSTALL) requirements/doors.txt
	@touch $@

demo: $(VENV)/.run ## run the agreement of 2016 between two nodes on this machine (FILE=... gives your own file)
	@$(BIN)/comity demo $(if $(FILE),'$(FILE)')

demo-feed: $(VENV)/.doors ## play warning data between two nodes as they happen
	@$(BIN)/comity demo feed

test: $(VENV)/.develop ## run every test; those in a browser by themselves, since they share two nodes
	@$(WITH_ENVIRONMENT) $(BIN)/python -m pytest -n 2 --ignore=tests/browser $(ARGS)
	@$(if $(ARGS),true,$(WITH_ENVIRONMENT) $(BIN)/python -m pytest tests/browser)

check: $(VENV)/.develop ## lint, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

coverage: $(VENV)/.develop ## run the tests of the articles and write the table of comity agreement coverage
	@$(WITH_ENVIRONMENT) $(BIN)/python -m pytest -n 2 --write-coverage tests/articles/test_article_*.py $(ARGS)

bench: $(VENV)/.develop ## measure against named peers in one run and print the ratios
	@$(WITH_ENVIRONMENT) $(BIN)/python -m benchmarks $(ARGS)

simulate: $(VENV)/.develop ## run the simulated world from a seed: make simulate SEED=7 STEPS=2000
	@$(BIN)/python -m tests.simulation --seed $(or $(SEED),1) --steps $(or $(STEPS),2000)

endure: $(VENV)/.develop ## run simulated worlds for as long as asked: make endure SECONDS=3600 SEED=1
	@$(BIN)/python -m tests.simulation --seconds $(or $(SECONDS),60) --seed $(or $(SEED),1) $(if $(STEPS),--steps $(STEPS))

fuzz: $(VENV)/.fuzz ## fuzz every decoder: make fuzz SECONDS=60 ONLY="record parcel"
	@$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),60) $(if $(ONLY),--only $(ONLY))

$(VENV)/.fuzz: $(VENV)/.develop requirements/fuzz.txt
	@echo "adding what leads the fuzzing (once) ..."
	@$(BIN)/python $(INSTALL) requirements/fuzz.txt
	@touch $@

schema: $(VENV)/.run ## write the JSON Schemas of agreement files again, from the types
	@rm -f src/comity/agreements/*.schema.json
	@$(BIN)/comity agreement schema --out src/comity/agreements/agreement.schema.json
	@$(BIN)/comity agreement schema --layer --out src/comity/agreements/layer.schema.json
	@$(BIN)/comity agreement schema --history --out src/comity/agreements/history.schema.json

words: $(VENV)/.run ## bring the catalogues of the console up to what is said, and name what is not translated
	@$(BIN)/python .ci/words.py

interop: $(VENV)/.interop ## fetch what the tests try ours against: another age, and what tells who can use a page
# npm checks every package against the digests of its lock file. Node.js comes from the machine if it is recent enough.
$(VENV)/.interop: $(VENV)/.develop requirements/interop.txt $(INTEROP)/package-lock.json $(AXE)/package-lock.json
	@echo "fetching age-encryption and axe-core for the tests (once) ..."
	@node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major * 100 + +minor < 2019 ? 1 : 0)' \
	  2>/dev/null || $(BIN)/python $(INSTALL) requirements/interop.txt
	@for folder in $(INTEROP) $(AXE); do (cd $$folder && $(WITH_ENVIRONMENT) NODE_USE_SYSTEM_CA=1 \
	  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || exit 1; done
	@touch $@

other-python: $(VENV)/.run ## prepare another Python version, in which decisions are replayed to the same bytes
	@other="$$($(BIN)/python .ci/other_python.py)"; \
	if [ -z "$$other" ]; then echo "there is no other Python version on this machine: replay is tested in one"; \
	else $(MAKE) --no-print-directory OTHER_PYTHON="$$other" $(OTHER)/.run; fi

# Witnesses and logs by others need Python 3.12; where the other one is older they are not tried.
$(OTHER)/.run: requirements/run.txt requirements/witness.txt
	@echo "making $(OTHER) with $$($(OTHER_PYTHON) --version) (once) ..."
	@$(OTHER_PYTHON) -m venv --clear $(OTHER)
	@$(OTHER)/bin/python $(INSTALL) requirements/run.txt
	@if $(OTHER)/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 12))'; then \
	  $(OTHER)/bin/python $(INSTALL) requirements/witness.txt; fi
	$(call use_source,$(OTHER))
	@touch $@

release: $(VENV)/.release ## build the wheel, twice and byte for byte the same, with its bill of materials
	@$(BIN)/python .ci/release.py

audit: $(VENV)/.release ## ask the public advisories about every pinned package (needs a network that reaches them)
	@for set in requirements/*.txt; do echo "$$set"; $(BIN)/pip-audit --requirement $$set --disable-pip || exit 1; done

$(VENV)/.release: $(VENV)/.develop requirements/release.txt
	@echo "adding what a release needs (once) ..."
	@$(BIN)/python $(INSTALL) requirements/release.txt
	@touch $@

requirements: ## pin the requirements again, with hashes (needs uv)
	@for set in $(basename $(notdir $(wildcard requirements/*.in))); do \
	  uv pip compile --quiet --universal --python-version $$([ $$set = witness ] && echo 3.12 || echo 3.11) --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --custom-compile-command "make requirements" \
	    requirements/$$set.in -o requirements/$$set.txt || exit 1; \
	done
	@for folder in $(INTEROP) $(AXE); do (cd $$folder && npm install --package-lock-only --omit-lockfile-registry-resolved) || exit 1; done

clean: ## remove what was made
	rm -rf $(VENV) $(OTHER) $(INTEROP)/node_modules $(AXE)/node_modules build .mypy_cache .ruff_cache .pytest_cache .hypothesis
