# Everything a fresh machine needs is Python >= 3.11; each target makes .venv and installs when that is missing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One process for each core, each with one thread of its own; the tests of a file stay together and share what they set up.
TESTS := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: demo test test-all lint claims clean

demo: $(VENV)/.installed
	$(BIN)/beamforge demo

test: $(VENV)/.installed-dev
	$(TESTS) -m "not slow"

test-all: $(VENV)/.installed-dev
	$(TESTS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

claims: $(VENV)/.installed
	$(BIN)/python -m beamforge.reporting.claims

clean:
	rm -rf $(VENV) runs

$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --constraint constraints.txt --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) install --constraint constraints.txt --editable ".[dev]"
	touch $@
