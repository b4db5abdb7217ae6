"""The work of a grid: each model is trained and measured, unless it was before."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_coderobust.config.finetune_grid import GridConfig
from pytest_coderobust.errors import CodeRobustError, UsageError
from pytest_coderobust.metrics.training_grid import GridModel
from pytest_coderobust.models.folders import read_trained_form
from pytest_coderobust.models.hf import HFBackend
from pytest_coderobust.records import SuiteRun
from pytest_coderobust.session.bases import check_base, open_base
from pytest_coderobust.session.choices import Choices, spell_for_command
from pytest_coderobust.session.conclusions import Conclusions, SuiteFindings
from pytest_coderobust.session.session import open_session
from pytest_coderobust.training.base import require_trainable
from pytest_coderobust.training.building import SetBuilder
from pytest_coderobust.training.finetuning import Finetuned, FinetuneRequest, finetune
from pytest_coderobust.training.material import Material, build_material, find_set
from pytest_coderobust.training.overlap import drop_overlap
from pytest_coderobust.training.perturbing import ExamplePerturber
from pytest_coderobust.training.sets import CLEAN_SET, TrainingSet
from pytest_coderobust.training.settings import TrainingSettings
from pytest_coderobust.training.source import TrainingData, read_data
from pytest_coderobust.training.trainer import TrainingListener

MODELS = "models"
LEDGER = "ledger.sqlite"


@dataclass(frozen=True, slots=True)
class GridWork:
    """A grid that can be worked on: everything that its file names was found.

    Attributes:
        settings: of every training, but the seed.
        sets: the control first.
        choices: how models are opened and answers kept; the model itself is another for each.
        out: the folder of the models and the ledger.
    """

    config: GridConfig
    settings: TrainingSettings
    sets: tuple[TrainingSet, ...]
    data: TrainingData
    choices: Choices
    out: Path

    def find_folder(self, base: str, chosen: TrainingSet, seed: int) -> Path:
        """The folder of a trained model."""
        return self.out / MODELS / _name_folder(base) / f"{chosen.name}-{seed}"


def _name_folder(base: str) -> str:
    return re.sub(r"[^\w.-]", "_", Path(base).name)


@dataclass(frozen=True, slots=True)
class GridStep:
    """Something that was done for a grid.

    Attributes:
        name: the training ("tiny, mix_all, seed 42"), or the base.
        trained: the training; None where the model was measured.
    """

    name: str
    trained: Finetuned | None = None


GridListener = Callable[[GridStep], None]
Showing = Callable[[], AbstractContextManager[TrainingListener]]
"""Opens what hears of the steps of one training."""


def prepare_grid(
    config: GridConfig, source: str, rows: int | None, settings: TrainingSettings, choices: Choices
) -> GridWork:
    """Finds what a grid's file names, before anything is trained.

    Args:
        source: the data, as `coderobust finetune --data` takes them.
        rows: the most rows to take.
        choices: with the ledger's file, in whose folder the models are written.

    Raises:
        CodeRobustError: a base, a set, the suite or the data are wrong, or rows are also in the
            suite.
    """
    sets = [find_set(name, f"{config.path}: [grid] sets:") for name in config.sets]
    sets.sort(key=lambda each: each.name != config.control)
    if len(set(map(_name_folder, config.bases))) < len(config.bases):
        raise UsageError(
            f"{config.path}: [grid] bases: two have the same last name, and models are written to "
            "folders of that name; copy or link one to another name"
        )
    for base in config.bases:
        check_base(replace(choices, model=locate_base(config, base)))
    with open_session(choices, config.folder, label=spell_for_command) as session:
        suite = session.suite(_refer(config))
        plan = suite.plan
        if plan.config.edit.editors:
            raise UsageError(f"{config.suite}: a grid measures trained models, and [edit] others")
    data = read_data(source, fmt=config.training.format or None, rows=rows, clean=True)
    remedy = "decontaminate = true in [grid]"
    data, _ = drop_overlap(
        data, plan.tasks.values(), config.suite, drop=config.decontaminate, remedy=remedy
    )
    assert choices.ledger is not None
    work = GridWork(config, settings, tuple(sets), data, choices, choices.ledger.parent)
    clean = build_material(SetBuilder(data, ExamplePerturber(), settings.seed), find_set(CLEAN_SET))
    for base in config.bases:
        _open_trainable(work, base, clean, settings).close()
    return work


def run_grid(work: GridWork, show: Showing, tell: GridListener) -> tuple[GridModel, ...]:
    """Trains and measures every model; what was done before is read.

    Raises:
        CodeRobustError: a training or a measurement failed; the models before it are kept.
    """
    found: list[GridModel] = []
    for base in work.config.bases:
        run = measure_model(work, locate_base(work.config, base))
        tell(GridStep(base))
        # The suite's `train` is of the models that are trained here, and the base is none.
        found.append(GridModel(base, "", None, "", 0, replace(run, train=())))
        for seed in work.config.seeds:
            builder = SetBuilder(work.data, ExamplePerturber(), seed)
            for chosen in work.sets:
                name = f"{base}, {chosen.name}, seed {seed}"
                folder = work.find_folder(base, chosen, seed)
                with show() as listen:
                    done = _train(work, base, builder, chosen, folder, listen)
                tell(GridStep(name, done))
                run = measure_model(work, str(folder))
                tell(GridStep(name))
                run = replace(run, train=read_trained_form(folder).trained_on)
                found.append(GridModel(base, chosen.name, seed, chosen.level, done.steps, run))
    return tuple(found)


def measure_model(work: GridWork, model: str) -> SuiteRun:
    """Measures the whole suite on a model; the ledger answers what it knows.

    Raises:
        CodeRobustError: the harness failed.
    """
    choices = replace(work.choices, model=model)
    reference = _refer(work.config)
    with open_session(choices, work.config.folder, label=spell_for_command) as session:
        suite = session.suite(reference)
        squares = [(task, cell) for cell in suite.plan.cells for task in suite.plan.tasks]
        session.want((reference, square) for square in squares)
        session.probe()
        measurement = suite.single
        for task, cell in squares:
            measurement.measure(suite.plan.tasks[task], cell)
        conclusions = Conclusions(session)
        conclusions.add(reference, SuiteFindings(squares=set(squares), runs={measurement.run}))
        for error in conclusions.errors:
            raise CodeRobustError(error)
        return conclusions.reports[0].run


def locate_base(config: GridConfig, base: str) -> str:
    """Finds the base as `--model` takes it; a path starts from the grid's file."""
    return str(config.folder / base) if base.startswith(("./", "../")) else base


def _train(
    work: GridWork,
    base: str,
    builder: SetBuilder,
    chosen: TrainingSet,
    folder: Path,
    listen: TrainingListener,
) -> Finetuned:
    settings = replace(work.settings, seed=builder.seed)
    material = build_material(builder, chosen)
    backend = _open_trainable(work, base, material, settings)
    try:
        return finetune(
            FinetuneRequest(backend, material, settings, folder, work.choices.threads), listen
        )
    finally:
        backend.close()
        gc.collect()  # a trainer and its model refer to each other


def _open_trainable(
    work: GridWork, base: str, material: Material, settings: TrainingSettings
) -> HFBackend:
    """Opens a base, of which nothing is loaded yet.

    Raises:
        CodeRobustError: it cannot be trained so.
    """
    template = work.config.training.template or None
    if template and material.is_chat:
        raise UsageError(
            f"{work.config.path}: [training] template: rows of messages go through the model's "
            "chat template"
        )
    choices = replace(work.choices, model=locate_base(work.config, base))
    return require_trainable(open_base(choices, template, material), settings)


def _refer(config: GridConfig) -> str:
    """The suite as a session takes it: the path of a file, or a name."""
    return str(config.folder / config.suite) if config.suite.endswith(".toml") else config.suite
