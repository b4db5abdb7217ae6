"""`python -m pytest_coderobust.tiny.train` makes the bundled model again from a seed."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pytest_coderobust.tiny.recipe import TrainingRecipe
from pytest_coderobust.tiny.training import TrainingStep, train

_SMOOTH = 0.98


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains, writes the checkpoint and, with --verify, compares it with the bundled one."""
    options = _parser().parse_args(arguments)
    console = Console()
    recipe = TrainingRecipe(seed=options.seed, scale=options.scale, steps=options.steps)
    # With one thread sums are added in a fixed order, so that the weights can be repeated.
    torch.set_num_threads(1)
    with _progress(console, recipe.run_steps) as report:
        trained = train(recipe, options.device, report)
    trained.save(recipe, options.out)
    console.print(
        f"{options.out}: {trained.tokens:,} tokens in {trained.seconds / 60:.1f} minutes, "
        f"last loss {trained.losses[-1]:.4f}",
        soft_wrap=True,
    )
    if options.verify:
        from pytest_coderobust.tiny.verify import verify

        return verify(options.out, console)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pytest_coderobust.tiny.train", description=__doc__
    )
    parser.add_argument("--seed", type=int, default=0, help="decides corpus, order and weights")
    parser.add_argument(
        "--device", default="cpu", help='where to train: "cpu", "cuda" (default: cpu)'
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the new checkpoint")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the corpus (default: 1)")
    parser.add_argument("--steps", type=int, default=0, help="stop early, after so many steps")
    parser.add_argument(
        "--verify", action="store_true",
        help="run the suite on both models; exit status 1 if pass@1 differs by more than 0.02",
    )  # fmt: skip
    return parser


@contextmanager
def _progress(console: Console, steps: int) -> Generator[Callable[[TrainingStep], None]]:
    """Shows a progress bar with a smoothed loss; yields the function that moves it."""
    columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
               TextColumn("loss {task.fields[loss]:.3f}"))  # fmt: skip
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("training", total=steps, loss=float("nan"))
        smooth: list[float] = []

        def report(step: TrainingStep) -> None:
            smooth[:] = [_SMOOTH * smooth[0] + (1 - _SMOOTH) * step.loss] if smooth else [step.loss]
            progress.update(task, advance=1, loss=smooth[0])

        yield report


if __name__ == "__main__":
    raise SystemExit(main())
