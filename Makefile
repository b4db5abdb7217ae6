# One-line tasks. `make demo` and `make test` each do all their own set-up.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --constraint constraints.txt

.PHONY: demo test check-full lint types layers bench clean

demo: $(VENV)/.run  ## the bundled model on the quickstart suite under C1, C2 and C3
	$(BIN)/python -m pytest example_suites/quickstart.toml --model tiny

test: lint types layers  ## every check, on seeded samples where the whole takes long
	$(BIN)/python -m pytest -m "not slow" -n 2

check-full: lint types layers  ## every acceptance check, whole
	$(BIN)/python -m pytest

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python

layers: $(VENV)/.dev
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	for file in bench/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

$(VENV)/.run: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	$(PIP) --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.run
	$(PIP) --group dev
	touch $@

clean:
	rm -rf $(VENV) .coderobust dist
