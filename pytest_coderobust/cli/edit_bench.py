"""`coderobust edit-bench`: measure what knowledge edits do, also to other questions."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.cli.command import Commands
from pytest_coderobust.cli.options import OPENING, add_model_options, read_choices

if TYPE_CHECKING:
    from pytest_coderobust.edit_bench.plan import BenchPart, BenchPlan
    from pytest_coderobust.edit_bench.result import BenchResult
    from pytest_coderobust.knowledge.case_set import CaseSet
    from pytest_coderobust.records.knowledge import KnowledgeCase
    from pytest_coderobust.session.session import Session


def register(commands: Commands) -> None:
    parser = commands.add_parser(
        "edit-bench",
        help="measure what knowledge edits do, also to other questions",
        description="Each case is edited alone and undone; a killed run goes on by the same "
        "command. docs/knowledge-edits.md explains the numbers.",
    )
    parser.add_argument(
        "file",
        metavar="FILE",
        help="cases: a file, cnle, csne (in CODEROBUST_CLMEEVAL), tiny:cases",
    )
    parser.add_argument(
        "--edit",
        action="append",
        default=[],
        metavar="E[,E...]",
        help="editors, as in pytest --edit, or all; none measures the model without an edit",
    )
    parser.add_argument(
        "--train", metavar="FILE", help="cases for editors that learn from some; none of FILE's"
    )
    parser.add_argument(
        "--drop-overlap",
        action="store_true",
        help="leave out the cases to train on that share an input, rewrite or neighbour with FILE",
    )
    parser.add_argument(
        "--swap", action="store_true", help="then ask the cases of --train, trained on FILE"
    )
    parser.add_argument("--limit", metavar="N", help="ask N cases, drawn by the seed")
    parser.add_argument("--seed", default="0", metavar="N", help="of the draw and of sampling (0)")
    parser.add_argument(
        "--natural-length",
        action="store_true",
        help="also ask without telling the model how long the answer is",
    )
    parser.add_argument("--jobs", default="1", metavar="N", help="editors measured at a time (1)")
    parser.add_argument(
        "--alone",
        action="store_true",
        help="measure in this process; peak memory is then that of all editors so far",
    )
    parser.add_argument("--json", type=Path, metavar="PATH", help="write every number here")
    add_model_options(parser)
    parser.set_defaults(command=edit_bench)


def edit_bench(options: argparse.Namespace) -> int:
    """Measures the editors, and prints the tables; 1 where one failed."""
    from pytest_coderobust.session.choices import spell_for_command
    from pytest_coderobust.session.session import open_session

    choices = read_choices(options, ["model", *OPENING])
    with open_session(choices, Path.cwd(), label=spell_for_command) as session:
        plan = _plan(options, session)
        if options.alone or not plan.editors:
            failed = _measure_here(plan, session)
        else:
            failed = _run_processes(options, plan)
        result = plan.conclude(failed)
    _show(result)
    if options.json:
        _write(result, options.json)
    return int(bool(failed))


def _plan(options: argparse.Namespace, session: Session) -> BenchPlan:
    """Plans the benchmark; nothing loads yet.

    Raises:
        UsageError: the model has no weights, an editor is unknown, or the sets overlap.
        DataError: a file cannot be read, or the result could not be written.
    """
    from pytest_coderobust.cli.finetune_values import read_number
    from pytest_coderobust.edit_bench.apart import check_apart
    from pytest_coderobust.edit_bench.editors import read_editors
    from pytest_coderobust.edit_bench.memory import AskSettings, BenchMemory
    from pytest_coderobust.edit_bench.plan import BenchPlan
    from pytest_coderobust.editors.identity import require_weights
    from pytest_coderobust.editors.stack import check_model
    from pytest_coderobust.errors import DataError
    from pytest_coderobust.files import explain_unwritable
    from pytest_coderobust.knowledge.reading import read_case_set
    from pytest_coderobust.session.edits import refuse_served

    seed = read_number("--seed", options.seed, least=0)
    read_number("--jobs", options.jobs, least=1)
    if options.json and (reason := explain_unwritable(options.json)):
        raise DataError(f"{options.json}: cannot be written: {reason}")
    refuse_served(session, "coderobust edit-bench")
    editors = read_editors(options.edit, training=bool(options.train)) if options.edit else ()
    backend = require_weights(session.backend, editors[0].spec.label if editors else "none")
    check_model([editor.spec for editor in editors if not editor.unable], backend)
    parts = _make_parts(options, read_case_set(options.file), seed)
    for sentence in check_apart(editors, parts):
        print(sentence, file=sys.stderr)  # noqa: T201
    settings = AskSettings(seed, options.natural_length)
    memory = BenchMemory(backend, session.ledger, settings)
    return BenchPlan(memory, options.file, parts, editors)


def _make_parts(options: argparse.Namespace, cases: CaseSet, seed: int) -> tuple[BenchPart, ...]:
    from pytest_coderobust.cli.finetune_values import read_number
    from pytest_coderobust.edit_bench.plan import BenchPart
    from pytest_coderobust.errors import UsageError
    from pytest_coderobust.knowledge.choosing import choose_cases
    from pytest_coderobust.knowledge.reading import read_case_set

    limit = None if options.limit is None else read_number("--limit", options.limit, least=1)
    asked = choose_cases(cases.cases, limit, seed)
    if options.train is None:
        if options.swap or options.drop_overlap:
            raise UsageError("--swap and --drop-overlap need --train FILE")
        return (BenchPart(asked, name=cases.name),)
    training = read_case_set(options.train)
    parts = [BenchPart(asked, _keep_apart(options, training, asked), cases.name)]
    if options.swap:
        others = choose_cases(training.cases, limit, seed)
        parts.append(BenchPart(others, _keep_apart(options, cases, others), training.name))
    return tuple(parts)


def _keep_apart(
    options: argparse.Namespace, training: CaseSet, asked: tuple[KnowledgeCase, ...]
) -> CaseSet:
    """Refuses, or leaves out, cases to train on that share something with those that are asked."""
    from pytest_coderobust.errors import UsageError
    from pytest_coderobust.knowledge.choosing import drop_cases, find_overlap

    shared = find_overlap(training, asked)
    if not shared.places:
        return training
    count = len(shared.places)
    whole = count == len(training.cases)
    if whole or not options.drop_overlap:
        raise UsageError(
            f"--train {training.name}: {count} of {len(training.cases)} cases share an input, a "
            "rewrite or a neighbour with those that are asked, as "
            f"{shared.example[:60]!r}; give another file{'' if whole else ', or --drop-overlap'}"
        )
    print(f"{training.name}: {count} cases to train on left out", file=sys.stderr)  # noqa: T201
    return drop_cases(training, shared.places)


def _measure_here(plan: BenchPlan, session: Session) -> dict[str, str]:
    """Measures model and editors in this process; tells which failed, and why."""
    from pytest_coderobust.edit_bench.measuring import measure_all
    from pytest_coderobust.editors.identity import require_weights

    failed = dict(measure_all(plan, require_weights(session.backend, "all"), _print_progress))
    for reason in failed.values():
        print(f"coderobust: {reason}", file=sys.stderr)  # noqa: T201 - read by `run_process`
    return failed


def _run_processes(options: argparse.Namespace, plan: BenchPlan) -> dict[str, str]:
    """Measures the model, then each editor in a process of its own; tells which failed, and why."""
    from pytest_coderobust.cli.finetune_values import read_number
    from pytest_coderobust.edit_bench.processes import run_editors, run_process
    from pytest_coderobust.errors import ModelError

    words = _repeat(options)
    if reason := run_process(words, _forward):
        raise ModelError(f"the model without an edit was not measured: {reason}")
    able = {each.text: each.spec.label for each in plan.editors if not each.unable}
    jobs = read_number("--jobs", options.jobs, least=1)
    failed = run_editors(words, list(able), jobs, _forward)
    return {able[text]: reason for text, reason in failed.items()}


def _repeat(options: argparse.Namespace) -> list[str]:
    """Writes the command again for one process, without its editors."""
    words = ["edit-bench", options.file, "--alone", f"--seed={options.seed}"]
    given = {name: getattr(options, name.replace("-", "_")) for name in ("model", *OPENING)}
    given |= {name: getattr(options, name) for name in ("train", "limit")}
    words += [
        f"--{name}={value}" for name, value in given.items() if value not in (None, False, True)
    ]
    flags = ("swap", "drop-overlap", "natural-length", *OPENING)
    words += [f"--{name}" for name in flags if getattr(options, name.replace("-", "_")) is True]
    return words


def _print_progress(label: str, done: int, total: int) -> None:
    """Prints a line every tenth of the cases."""
    if done == total or done % max(1, total // 10) == 0:
        print(f"{label}: {done} of {total} cases", file=sys.stderr, flush=True)  # noqa: T201


def _forward(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


def _show(result: BenchResult) -> None:
    from shutil import get_terminal_size

    from pytest_coderobust.reporting.terminal.knowledge import render_bench

    out = sys.stdout
    width = get_terminal_size().columns if out.isatty() else 160
    out.write(render_bench(result, width, out.isatty(), out.encoding or "utf-8"))


def _write(result: BenchResult, path: Path) -> None:
    import json

    from pytest_coderobust.errors import DataError
    from pytest_coderobust.files import replace_file
    from pytest_coderobust.records.codec import encode

    text = json.dumps({"format": 1, **encode(result)}, indent=1) + "\n"
    try:
        replace_file(path, text.encode("utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}") from None
