"""Material of a training: rows as they are, or a set that is built of them while they are read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_coderobust.errors import UsageError
from pytest_coderobust.tasks.rows import DataRow
from pytest_coderobust.training.building import SetBuilder
from pytest_coderobust.training.counting import count_noun
from pytest_coderobust.training.example import TrainingExample
from pytest_coderobust.training.formats import FORMATS
from pytest_coderobust.training.perturbing import ExamplePerturber
from pytest_coderobust.training.sets import CLEAN_SET, TrainingSet, list_sets
from pytest_coderobust.training.source import TrainingData, read_data

BARE = "{prompt}"


@dataclass(frozen=True, slots=True)
class Material:
    """Rows to train on.

    Attributes:
        name: the data and the set, as a report names them.
        template: the text around a prompt.
        digest: a fingerprint of prompts, answers and their order.
        perturbed: the number of rows with a perturbed prompt; None where the data do not say.
        noise: the perturbations of those rows, by name; None likewise.
    """

    name: str
    template: str
    digest: str
    examples: tuple[TrainingExample, ...]
    perturbed: int | None = None
    noise: tuple[str, ...] | None = None

    @property
    def is_chat(self) -> bool:
        """Whether prompts and answers are messages."""
        return self.examples[0].is_chat


def read_material(
    source: str,
    *,
    chosen: str = "",
    fmt: str | None = None,
    rows: int | None = None,
    seed: int = 42,
    screen: Callable[[TrainingData], TrainingData] = lambda data: data,
) -> Material:
    """Reads the rows of a training.

    Args:
        source: as for `read_data`; a file that `coderobust finetune-data` wrote has its manifest
            beside it.
        chosen: the name of a set to build of clean rows; "" takes them as they are.
        seed: what the set is drawn with.
        screen: leaves out, or refuses, rows before a set is built of them.

    Raises:
        DataError: the data cannot be used, or are not those of their manifest.
        UsageError: `chosen` names no single set, or one that needs a rewriter.
    """
    data = screen(read_data(source, fmt=fmt, rows=rows, clean=bool(chosen)))
    if chosen:
        return build_material(SetBuilder(data, ExamplePerturber(), seed), find_set(chosen))
    return Material(
        f"{data.name} ({count_noun(len(data.examples), 'row')})",
        data.format.template,
        _fingerprint(data.examples),
        data.examples,
        data.built.perturbed if data.built and rows is None else None,
        data.built.members if data.built else None,
    )


def find_set(name: str, option: str = "--set") -> TrainingSet:
    """Finds the one set of a name, which needs no rewriter.

    Raises:
        UsageError: the name stands for none or several, or for one that needs a rewriter.
    """
    sets = list_sets([name], option=option)
    if len(sets) != 1:
        raise UsageError(f"{option} {name!r} must name one set, such as mix_all or clean")
    (one,) = sets
    if not ExamplePerturber().can_make(one.perturbation):
        raise UsageError(
            f"{option} {name}: {one.perturbation} needs a rewriter; build it with coderobust "
            "finetune-data --rewriter, and train on the file"
        )
    return one


def build_material(builder: SetBuilder, chosen: TrainingSet) -> Material:
    """Builds a set of clean rows to train on; a builder remembers what its sets share."""
    data = builder.data
    made = [row for _, row in builder.make_rows(chosen)]
    read = FORMATS["completion"].read
    examples = tuple(read(DataRow(row, chosen.name), str(row["id"])) for row in made)
    drawn = [str(row["member"] or row["perturbation"]) for row in made]
    drawn = [name for name in drawn if name != CLEAN_SET]
    perturbed = len(drawn)
    rows = count_noun(len(examples), "row")
    name = f"{data.name}, {chosen.name} ({rows}, {perturbed} perturbed)"
    return Material(
        name,
        data.format.template,
        _fingerprint(examples),
        examples,
        perturbed,
        tuple(sorted(set(drawn))),
    )


def _fingerprint(examples: Sequence[TrainingExample]) -> str:
    hasher = hashlib.sha256()
    for example in examples:
        row = [example.write_prompt(example.texts), example.write_completion()]
        hasher.update(json.dumps(row, ensure_ascii=True).encode("ascii") + b"\n")
    return hasher.hexdigest()
