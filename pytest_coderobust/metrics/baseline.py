"""A baseline: the counts of a whole run as a small text file that people review like code.

One JSON value a line: a header that says what was measured and how, then one line for each task
and perturbation, in plan order:

    {"baseline": 1, "suite": "quickstart", "model": "tiny", ...}
    {"task": "HumanEval/0", "perturbation": "C1", "seeds": {"0": "robust 1/1", "1": "broken 0/1"}}

The file is ASCII, and the same run gives the same bytes. It holds no prompt, no completion and no
path. Two runs are comparable when the header's `measured` is equal: the tasks, the perturbations,
the extractor and the judge; everything but the model and the seed of its sampling.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from pytest_coderobust.errors import DataError
from pytest_coderobust.records import IDENTITY, Cell, ModelIdentity, Observation, SuiteRun

VERSION = 1

WORDS = {
    "tasks": "the tasks, their prompts or how they are perturbed",
    "extractor": "the extractor or its setting",
    "judge": "the judge",
    "sampling": "how completions are sampled",
    "solved_at": "solved_at",
    "ks": "k",
    "cells": "the perturbations or their seeds",
}
"""Names of the header's parts in sentences."""

MEASURED = re.compile(r"(?:solved|unsolved|robust|broken) (0|[1-9][0-9]{0,8})/([1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True)
class Baseline:
    """The content of a baseline file.

    Attributes:
        model, fingerprint: of the run it was written from; a compared run may have others.
        measured: the parts that a compared run must have equal.
        counts: (samples, samples that pass) of each measured square.
        identity: what was known of a served model; "" of any other.
    """

    suite: str
    model: str
    fingerprint: str
    measured: Mapping[str, object]
    counts: Mapping[tuple[str, Cell], tuple[int, int]]
    identity: str = ""


def describe_measurement(run: SuiteRun) -> dict[str, object]:
    """Describes the measurement of a run, apart from the model and the sampling's seed."""
    sampling = run.sampling
    return {
        **run.basis,
        "sampling": {
            "n": sampling.n,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_new_tokens": sampling.max_new_tokens,
            "stop": list(sampling.stop),
        },
        "solved_at": run.solved_at,
        "ks": list(run.ks),
        "cells": [cell.label for cell in run.cells],
    }


def name_changed_parts(baseline: Baseline, run: SuiteRun) -> str:
    """Names the parts of the measurement that differ; "" where the two can be compared."""
    now = describe_measurement(run)
    parts = [*now, *(part for part in baseline.measured if part not in now)]
    changed = [part for part in parts if now.get(part) != baseline.measured.get(part)]
    if baseline.suite != run.suite:
        return f"it is of the suite {baseline.suite!r}"
    return " and ".join(WORDS.get(part, part) for part in changed)


def warn_of_identity(baseline: Baseline, run: SuiteRun) -> str:
    """Warns where nothing but a name says that two served models are one; "" elsewhere."""
    before = ModelIdentity(baseline.model, "", {IDENTITY: baseline.identity})
    observed = before.served_tier == run.model.served_tier == "observed"
    if not observed or baseline.fingerprint == run.model.digest or before.name != run.model.name:
        return ""
    return (
        f"{run.model.name!r} was observed for the baseline and for this run, each time by itself: "
        "only its name says that it is one model; state its weights to know"
    )


def dumps(run: SuiteRun) -> str:
    """Writes the baseline of a run as text."""
    header = {
        "baseline": VERSION,
        "suite": run.suite,
        "model": run.model.name,
        "fingerprint": run.model.digest,
        **({IDENTITY: run.model.facts[IDENTITY]} if run.model.served_tier else {}),
        "measured": describe_measurement(run),
    }
    return "".join(json.dumps(line, ensure_ascii=True) + "\n" for line in (header, *make_rows(run)))


def make_rows(run: SuiteRun) -> Iterator[dict[str, object]]:
    """Makes one object for each task and perturbation, the clean prompt first."""
    found: dict[tuple[str, str], list[Observation]] = {}
    for o in run.observations:
        found.setdefault((o.task_id, o.cell.perturbation), []).append(o)
    names = tuple(dict.fromkeys(cell.perturbation for cell in run.cells))
    for task in run.tasks:
        for name in names:
            seeds = {str(o.cell.seed): describe_square(o) for o in found.get((task, name), ())}
            yield {"task": task, "perturbation": name, "seeds": seeds}


def describe_square(o: Observation) -> str:
    """Describes a square: "broken 1/5", or the status of one that was not measured."""
    return f"{o.status.value} {o.c}/{o.n}" if o.measured else o.status.value


def loads(text: str, where: str) -> Baseline:
    """Reads a baseline.

    Args:
        where: the file, to begin an error with.

    Raises:
        DataError: the text is not a valid baseline; the message has the line.
    """
    lines = text.splitlines()
    header = _read_object(lines[0] if lines else "", f"{where}:1")
    if header.get("baseline") != VERSION:
        raise DataError(
            f"{where}:1: is not a valid baseline of version {VERSION}; "
            "write one with --update-baseline"
        )
    counts: dict[tuple[str, Cell], tuple[int, int]] = {}
    for number, line in enumerate(lines[1:], 2):
        counts.update(_read_squares(_read_object(line, f"{where}:{number}"), f"{where}:{number}"))
    measured = header.get("measured")
    if not isinstance(measured, dict):
        raise DataError(f"{where}:1: measured must be an object, not {measured!r}")
    names = [header.get(key) for key in ("suite", "model", "fingerprint", IDENTITY)]
    suite, model, fingerprint, known = (name if isinstance(name, str) else "" for name in names)
    return Baseline(suite, model, fingerprint, cast("dict[str, object]", measured), counts, known)


def _read_squares(
    row: Mapping[str, object], where: str
) -> Iterator[tuple[tuple[str, Cell], tuple[int, int]]]:
    task, name, seeds = (row.get(key) for key in ("task", "perturbation", "seeds"))
    if not (isinstance(task, str) and isinstance(name, str) and isinstance(seeds, dict)):
        raise DataError(f"{where}: a row has task, perturbation and seeds")
    for seed, word in cast("dict[str, object]", seeds).items():
        if word in ("skipped", "unusable"):
            continue
        match = MEASURED.fullmatch(word) if isinstance(word, str) else None
        if match is None or not seed.isdecimal() or int(match[1]) > int(match[2]):
            raise DataError(f"{where}: seed {seed!r} has {word!r}, which is not like 'robust 1/1'")
        yield (task, Cell(name, int(seed))), (int(match[2]), int(match[1]))


def _read_object(line: str, where: str) -> dict[str, object]:
    try:
        found: object = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise DataError(f"{where}: is not a valid line of a baseline: {line[:60]!r}")
    return cast("dict[str, object]", found)
