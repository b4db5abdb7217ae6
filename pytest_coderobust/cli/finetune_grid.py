"""`coderobust finetune-grid`: train bases on sets, measure each model, and compare them."""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_coderobust.cli.command import Commands
from pytest_coderobust.cli.finetune_values import read_lora, read_preset, replace_numbers
from pytest_coderobust.cli.options import add_rows, read_choices

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_coderobust.config.finetune_grid import GridConfig
    from pytest_coderobust.metrics.training_grid import GridNumbers
    from pytest_coderobust.session.finetune_grid import GridStep, GridWork
    from pytest_coderobust.training.settings import TrainingSettings

OPENING = (
    "device",
    "dtype",
    "batch-size",
    "threads",
    "chat",
    "allow-bin",
    "trust-remote-code",
    "allow-unsafe",
    "sandbox-workers",
)
"""The rows of the table of options that say how models are opened and judged."""


def register(commands: Commands) -> None:
    parser = commands.add_parser(
        "finetune-grid",
        help="train bases on several sets, measure each model and compare it with a control; goes "
        "on by the same command",
    )
    parser.add_argument("grid", type=Path, metavar="GRID", help="a TOML file with a [grid] table")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="the folder of the trained models and their answers (default: grid, beside the file)",
    )
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the numbers for machines")
    parser.add_argument(
        "--markdown", type=Path, metavar="PATH", help="write the tables as Markdown"
    )
    add_rows(parser.add_argument_group("models and sandbox, as in pytest"), OPENING)
    parser.set_defaults(command=finetune_grid)


def finetune_grid(options: argparse.Namespace) -> int:
    """Trains and measures what is missing, and prints the tables."""
    from pytest_coderobust.config.finetune_grid import read_grid
    from pytest_coderobust.metrics.training_grid import measure_grid
    from pytest_coderobust.reporting.terminal.grid import render_grid
    from pytest_coderobust.session.finetune_grid import run_grid

    config = read_grid(options.grid)
    work = _prepare(config, options)
    with_bar, tell = _make_voice(work)
    models = run_grid(work, with_bar, tell)
    numbers = measure_grid(models, config.control, config.margin)
    width, colour = shutil.get_terminal_size().columns, sys.stdout.isatty()
    print(render_grid(numbers, width, colour, sys.stdout.encoding or "utf-8"), end="")  # noqa: T201
    _write(numbers, options)
    return 0


def _prepare(config: GridConfig, options: argparse.Namespace) -> GridWork:
    """Finds what the file names.

    Raises:
        CodeRobustError: something is wrong in the file or the options.
    """
    from pytest_coderobust.errors import UsageError
    from pytest_coderobust.session.finetune_grid import LEDGER, prepare_grid
    from pytest_coderobust.training.processes import count_processes

    if count_processes() > 1:
        raise UsageError(
            "finetune-grid works in one process; train a model by accelerate launch and finetune "
            "--out into its folder, and the grid takes it as it is"
        )
    preset = read_preset(config.training.preset)
    source = config.data or preset.data
    if not source:
        raise UsageError(f"{config.path}: [grid] data is missing: name a file, or tiny:corpus")
    own = preset.rows if source == preset.data else None
    rows = own if config.training.rows is None else config.training.rows
    if (config.folder / source).exists():
        source = str(config.folder / source)
    out = options.out if options.out is not None else config.folder / "grid"
    choices = read_choices(options, OPENING)
    choices = replace(choices, ledger=(out / LEDGER).absolute())
    return prepare_grid(config, source, rows, _read_settings(config, preset.settings), choices)


def _read_settings(config: GridConfig, preset: TrainingSettings) -> TrainingSettings:
    settings = replace_numbers(preset, config.training.numbers)
    if config.training.lora is None:
        return settings
    return replace(settings, lora=read_lora(config.training.lora))


def _make_voice(work: GridWork) -> tuple[Any, Callable[[GridStep], None]]:
    """Makes the bar of each training, and what says a line for each thing that is done."""
    from pytest_coderobust.cli.training_bar import show_training
    from pytest_coderobust.training.counting import count_noun

    bases, sets, seeds = len(work.config.bases), len(work.sets), len(work.config.seeds)
    print(  # noqa: T201
        f"{count_noun(bases, 'base')}, {count_noun(sets, 'set')}, {count_noun(seeds, 'seed')}: "
        f"{count_noun(bases * sets * seeds, 'training')} on "
        f"{count_noun(len(work.data.examples), 'row')} of {work.data.name}",
        flush=True,
    )

    def tell(step: GridStep) -> None:
        done = step.trained
        if done is None:
            what = "measured"
        elif done.already:
            what = "was trained before"
        else:
            onward = f", went on from step {done.resumed}" if done.resumed else ""
            what = f"trained: {done.steps} steps, last loss {done.loss:.4f}{onward}"
        print(f"{step.name}: {what}", flush=True)  # noqa: T201

    return show_training, tell


def _write(numbers: GridNumbers, options: argparse.Namespace) -> None:
    """Writes the files that were asked for.

    Raises:
        UsageError: one cannot be written.
    """
    from pytest_coderobust.errors import UsageError
    from pytest_coderobust.reporting.json import grid as json_grid
    from pytest_coderobust.reporting.markdown import grid as markdown_grid

    for path, render in (
        (options.json, json_grid.render_grid),
        (options.markdown, markdown_grid.render_grid),
    ):
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(render(numbers), encoding="utf-8")
            except OSError as error:
                raise UsageError(f"{path} cannot be written: {error.strerror}") from None
