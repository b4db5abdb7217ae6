"""A log of the batches that a model really computes in a subprocess, and a death in mid-batch.

The log is written around the model's public `generate`, by a conftest.py of the test's project.
A process that is to die does so at the worst moment: a batch is computed and not yet stored.
"""

from __future__ import annotations

from pathlib import Path

DIES_IN = "TEST_DIES_IN_BATCH"
"""Environment variable: the batch, counted from 1 over all processes, in which one dies."""

DIES_WITH_GROUP = "TEST_DIES_WITH_GROUP"
"""Environment variable: set where the whole process group is to die."""

_CONFTEST = """
import os
import signal

from {module} import {model}
from pytest_coderobust.engine.keys import make_completion_key

compute = {model}.generate


def generate(self, rows, sampling):
    completions = compute(self, rows, sampling)
    with open("computed.log", "a") as log:
        for row in rows:
            log.write(make_completion_key(self, row.variant, sampling, row.sample) + "\\n")
    with open("batches.log", "a") as log:
        log.write("x")
    if os.path.getsize("batches.log") == int(os.environ.get("{dies_in}", "0")):
        if "{dies_with_group}" in os.environ:
            os.killpg(os.getpgrp(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    return completions


{model}.generate = generate
"""


def make_conftest(model: str) -> str:
    """The text of a conftest.py that logs the batches of a model class, "module:Class"."""
    module, _, name = model.partition(":")
    return _CONFTEST.format(
        module=module, model=name, dies_in=DIES_IN, dies_with_group=DIES_WITH_GROUP
    )


def count_batches(folder: Path) -> int:
    """Batches computed so far, by every process that ran in this folder."""
    return (folder / "batches.log").stat().st_size


def read_computed(folder: Path) -> list[str]:
    """The keys of the completions that were computed, in order."""
    return (folder / "computed.log").read_text().split()
