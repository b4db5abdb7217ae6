"""The file of `coderobust finetune-grid`: bases, sets, the suite, and how models are trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_coderobust.config.baseline import MARGIN
from pytest_coderobust.config.table import Table, check_unique, read_toml

CONTROL = "clean"
SEED = 42
MOST_SEED = 2**32 - 1
"""The largest seed that NumPy's generator takes, and with it `transformers`."""
_COUNTS = ("epochs", "steps", "batch", "accumulate", "save_every")


@dataclass(frozen=True, slots=True)
class GridTraining:
    """The training of every model, as `coderobust finetune` takes it.

    Attributes:
        preset: its name; the numbers stand in the place of the preset's.
        numbers: by the field of the training's settings ("rate", "steps").
        lora: the options of an adapter ("r=16,alpha=32"); None trains the model whole.
        rows: the most rows of the data; None takes the preset's, or all.
        format: the data's format; "" where their keys tell it.
        template: the text around a prompt; "" is the format's own.
    """

    preset: str = "liu2026"
    numbers: Mapping[str, int | float] = field(default_factory=dict[str, int | float])
    lora: str | None = None
    rows: int | None = None
    format: str = ""
    template: str = ""


@dataclass(frozen=True, slots=True)
class GridConfig:
    """A grid: every base is trained on every set, and measured on one suite.

    Attributes:
        path: the file; the suite and the data lie beside it.
        sets: names, as `coderobust finetune --set` takes them.
        suite: a suite file or a data set's name.
        data: the rows that all sets are made of; "" is the preset's own.
        control: the set that every other is compared with.
        seeds: of the trainings.
        margin: the loss of pass@k that does not matter.
        decontaminate: leaves out the rows that are in the suite too, instead of refusing them.
    """

    path: Path
    bases: tuple[str, ...]
    sets: tuple[str, ...]
    suite: str
    data: str = ""
    control: str = CONTROL
    seeds: tuple[int, ...] = (SEED,)
    margin: float = MARGIN
    decontaminate: bool = False
    training: GridTraining = field(default_factory=GridTraining)

    @property
    def folder(self) -> Path:
        """The folder that relative paths start from."""
        return self.path.absolute().parent


def read_grid(path: Path) -> GridConfig:
    """Reads and validates a grid's file; names of bases, sets and presets are checked later.

    Raises:
        ConfigError: the file, a section, a key or a value is wrong.
    """
    document = Table(read_toml(path), "", path)
    grid, training = document.table("grid"), _read_training(document.table("training"))
    document.finish()
    sets = _read_names(grid, "sets", "a set of training rows, such as mix_all")
    control = grid.text("control", CONTROL)
    if "control" in grid and control not in sets:
        raise grid.error("control", f"must be one of sets: {', '.join(sets)}")
    config = GridConfig(
        path=path,
        bases=_read_names(grid, "bases", "a model to train, such as tiny"),
        sets=sets,
        suite=grid.text("suite", ""),
        data=grid.text("data", ""),
        control=control,
        seeds=_read_seeds(grid),
        margin=grid.number("margin", MARGIN, least=0.0, most=1.0),
        decontaminate=grid.boolean("decontaminate", default=False),
        training=training,
    )
    if not config.suite.strip():
        raise grid.error("suite", "must name a suite's file, or a data set")
    grid.finish()
    return config


def _read_names(table: Table, key: str, what: str) -> tuple[str, ...]:
    names = table.texts(key)
    if not names or not all(name.strip() for name in names):
        raise table.error(key, f"must name at least one: {what}")
    check_unique(table, key, names)
    return names


def _read_seeds(table: Table) -> tuple[int, ...]:
    seeds = table.integers("seeds", (SEED,))
    if not seeds or min(seeds) < 0 or max(seeds) > MOST_SEED:
        raise table.error("seeds", f"must be a list of seeds from 0 to {MOST_SEED}")
    check_unique(table, "seeds", seeds)
    return seeds


def _read_training(table: Table) -> GridTraining:
    table.allow(*_COUNTS, "max_tokens", "lr", "lora", "rows")
    numbers: dict[str, int | float] = {
        name: table.integer(name, 1, least=1) for name in _COUNTS if name in table
    }
    if "max_tokens" in table:
        numbers["max_tokens"] = table.integer("max_tokens", 1024, least=2)
    if "lr" in table:
        numbers["rate"] = table.number("lr", 0.0, least=0.0, most=1.0)
        if not numbers["rate"]:
            raise table.error("lr", "must be above 0")
    template = table.text("template", "")
    if template and "{prompt}" not in template:
        raise table.error("template", "has no {prompt} in it")
    training = GridTraining(
        preset=table.text("preset", "liu2026"),
        numbers=numbers,
        lora=table.text("lora", "") if "lora" in table else None,
        rows=table.integer("rows", 1, least=1) if "rows" in table else None,
        format=table.text("format", ""),
        template=template,
    )
    table.finish()
    return training
