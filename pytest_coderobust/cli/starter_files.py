"""The files of a first suite, as texts."""

from __future__ import annotations

import json
import re

from pytest_coderobust.cli.folder_look import FolderLook
from pytest_coderobust.reporting.shell_words import quote_word

SUITE = "robustness.toml"
SETTINGS = "pyproject.toml"
GITHUB = ".github/workflows/robustness.yml"
GITLAB = ".gitlab/robustness.yml"

PERTURBED = 'perturbations = ["C1", "C2", "C3"]    # typos, swapped letters, flipped case'

BUNDLED = f"""\
# The first of the bundled tasks, which the bundled model solves, and three ways to mistype them.
#   pytest {SUITE} --coderobust-model=tiny

[suite]
tasks = "quickstart"                  # or "humaneval", "mbpp", a file of your own: docs/tasks.md
limit = 60                            # of 205
{PERTURBED}
gates = ["pass@1 >= 0.70"]            # measure a model first; then hold it: "rd[C1] <= 0.20"

[sampling]
max_new_tokens = 128
"""

OWN = f"""\
# Your own tasks, and three ways to mistype them.
#   pytest {SUITE} --coderobust-model=MODEL

[suite]
tasks = TASKS
{PERTURBED}
# Gates set the exit status. Measure a model first; then hold what it can do:
# gates = ["pass@1 >= 0.30", "rd[C1] <= 0.20"]

[sampling]
max_new_tokens = 256
"""

TABLE = f"""\
[tool.coderobust]
suites = ["{SUITE}"]
"""

TEST = f"""\
python -m pytest {SUITE} --coderobust-model=tiny
INDENT--coderobust-html=robustness/report.html
INDENT--junitxml=robustness/junit.xml"""

GITHUB_JOB = """\
# Measures a code model's robustness; the gates of the suite decide.
name: robustness
on:
  pull_request:
  workflow_dispatch:
permissions:
  contents: read
jobs:
  robustness:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - run: python -m pip install pytest-coderobust
      - run: >-
          TEST
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: robustness
          path: robustness
"""

GITLAB_JOB = """\
# Measures a code model's robustness; the gates of the suite decide.
robustness:
  image: python:3.12
  script:
    - python -m pip install pytest-coderobust
    - >-
      TEST
  artifacts:
    when: always
    paths:
      - robustness
    reports:
      junit: robustness/junit.xml
"""


def write_suite_text(look: FolderLook) -> str:
    """Writes the suite: on the folder's own tasks, or on the bundled ones."""
    return OWN.replace("TASKS", spell_toml(look.tasks), 1) if look.tasks else BUNDLED


def spell_toml(text: str) -> str:
    """Spells a text as TOML's basic string; what does not print is written out.

    JSON's own escapes are pairs of surrogates beyond U+FFFF, and leave DEL: TOML has neither.
    """
    quoted = json.dumps(text, ensure_ascii=False)
    return re.sub(r"[^ -~]", lambda found: _spell_toml_character(found[0]), quoted)


def _spell_toml_character(character: str) -> str:
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def write_job_text(look: FolderLook) -> str:
    """Writes the CI job that runs the suite on the bundled model."""
    job, indent = (GITLAB_JOB, 6) if look.gitlab else (GITHUB_JOB, 10)
    return job.replace("TEST", TEST.replace("INDENT", " " * indent))


def list_next_steps(look: FolderLook) -> list[str]:
    """Lists what to type next, one command and its purpose a line."""
    model = quote_word(look.model or "codellama-7b")
    last = f"git add {SETTINGS} {SUITE} .github", "and commit: CI runs it"
    if look.gitlab:
        last = f"include: {{local: {GITLAB}}}", "into .gitlab-ci.yml, and commit"
    steps = [
        (f"pytest {SUITE} --model tiny", "measure the bundled model"),
        (f"coderobust explain {quote_word(look.task)}", "read one item's story"),
        (f"pytest {SUITE} --model {model}", "measure your own model"),
        (f"pytest {SUITE} --model {model} --hunt", "the smallest breaks"),
        last,
    ]
    return [f"  {command}  # {purpose}" for command, purpose in steps]
