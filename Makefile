# Two targets matter: `make conformance` is the main job, `make test` tests the project itself.
# Both make .venv first and install into it; nothing else of the machine is changed.

PYTHON ?= python3
VENV   ?= .venv
TARGET ?= auto
ARGS   ?=
MARKS  ?= not nightly
EXTRAS ?= [dev]

BIN := $(VENV)/bin

# Interpreters are started by the hundred: what they compile is kept, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: conformance test properties lint format bench mutants page-mutants docs nightly oldest clean

conformance: $(VENV)/installed  ## run the suite; TARGET=embedded|remote|auto, ARGS="further options"
	$(BIN)/zep-conformance run --target $(TARGET) $(ARGS)

test: lint  ## the project's own tests, but for those that `make nightly` runs
	$(BIN)/pytest tests -q -n 2 --dist loadfile --no-loadscope-reorder -m "$(MARKS)" $(ARGS)

properties: $(VENV)/installed  ## state machines, crowds and Schemathesis, at random and for about half an hour
	HYPOTHESIS_PROFILE=nightly $(BIN)/pytest -q -n 2 --dist load --timeout 3600 $(ARGS) \
	    tests/embedded/test_properties_*.py tests/embedded/test_concurrency.py tests/embedded/test_openapi_fuzz.py

lint: $(VENV)/installed
	$(BIN)/ruff check -q .
	$(BIN)/ruff format -q --check .
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-logo | tail -n 1
	$(BIN)/python -m tests.support.gherkin_lint

format: $(VENV)/installed
	$(BIN)/ruff check -q --fix .
	$(BIN)/ruff format -q .

bench: $(VENV)/installed  ## the figures to hold, as ratios measured side by side
	$(BIN)/python -m benchmarks.overhead
	$(BIN)/python -m benchmarks.reports
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.remote
	$(BIN)/python -m benchmarks.page

mutants: $(VENV)/installed  ## each mutation of the embedded servers and deployment files: all must be noticed
	$(BIN)/zep-conformance mutants --jobs 3 $(ARGS)

page-mutants: $(VENV)/installed  ## each mutation of LangFlux's page: all must be noticed
	$(BIN)/zep-conformance mutants --page --jobs 2 $(ARGS)

docs: $(VENV)/installed  ## make the generated pages of docs/ again
	$(BIN)/python -m zep_conformance.docsgen

nightly: properties bench  ## what takes too long for every change: the other tests, all scenarios on each mutation, ...
	$(MAKE) test MARKS=nightly
	$(BIN)/zep-conformance mutants --jobs 2 --all-scenarios --report reports/nightly-mutants.json
	$(BIN)/python benchmarks/flakiness.py

oldest:  ## the suite on the oldest versions of everything that pyproject.toml allows
	$(MAKE) conformance VENV=.venv-oldest TARGET=embedded CONSTRAINTS="-c constraints-oldest.txt" EXTRAS=

$(VENV)/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check $(CONSTRAINTS) -e '.$(EXTRAS)'
	@touch $@

clean:
	rm -rf $(VENV) .venv-oldest reports .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
