# One-line tasks. `make demo` and `make test` each do all their own set-up.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --constraint constraints.txt

# TextAttack wants transformers below 5, so it has an environment of its own; tests that must also
# pass under that transformers are listed here.
TA_VENV ?= .venv-textattack
TA_TESTS ?= tests/attack tests/unit/test_editors_contract.py tests/unit/test_editors_access.py \
	tests/unit/test_editors_numbers.py tests/unit/test_editors_grace.py \
	tests/unit/test_editors_localisation.py tests/unit/test_models_branches.py
TA_NLTK := $(NLTK_DATA):$(CODEROBUST_DATA)/nltk_data:$(CURDIR)/../shared/data/nltk_data:$(CURDIR)/$(TA_VENV)/nltk_data
TA_PIP := $(TA_VENV)/bin/python -m pip install --quiet --constraint constraints-textattack.txt

# Per cent of the lines that `make check-full` reaches at least.
COVERAGE := 85

.PHONY: demo test check-full test-textattack lint types layers docs bench clean

demo: $(VENV)/.run  ## the bundled model on the quickstart suite under C1, C2 and C3
	$(BIN)/python -m pytest example_suites/quickstart.toml --model tiny

test: lint types layers  ## every check, on seeded samples where the whole takes long
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist worksteal

check-full: lint types layers  ## every acceptance check, whole, and how much of the code it reaches
	$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term --cov-fail-under=$(COVERAGE)

test-textattack: $(TA_VENV)/.dev  ## TextAttack's attacks; editors and generation, under transformers 4
	NLTK_DATA="$(TA_NLTK)" HF_HUB_OFFLINE=1 $(TA_VENV)/bin/python -m pytest $(TA_TESTS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python

layers: $(VENV)/.dev
	$(BIN)/lint-imports

docs: $(VENV)/.dev  ## the site, in .site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

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

$(TA_VENV)/.dev: pyproject.toml constraints-textattack.txt
	$(PYTHON) -m venv $(TA_VENV)
	$(TA_PIP) --upgrade pip
	$(TA_PIP) --editable '.[textattack,lora]' pytest pytest-xdist sentencepiece
	-$(TA_VENV)/bin/python -m nltk.downloader -q -d $(TA_VENV)/nltk_data stopwords
	touch $@

clean:
	rm -rf $(VENV) $(TA_VENV) .coderobust dist .site
