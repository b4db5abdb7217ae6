"""`coderobust trace`: the layer at which a perturbed prompt can be repaired."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.cli.command import Commands
from pytest_coderobust.cli.options import add_model_options, open_command_session
from pytest_coderobust.errors import DataError, UsageError, nearest

if TYPE_CHECKING:
    from pytest_coderobust.config.suite import SuiteConfig
    from pytest_coderobust.editors.access import Access
    from pytest_coderobust.editors.options import CremeOptions
    from pytest_coderobust.editors.protocol import EditRequest, PassTest, Weighted
    from pytest_coderobust.engine.plan import Plan
    from pytest_coderobust.records import Task
    from pytest_coderobust.session.session import Session

_LOOK = 64
"""Tasks that are tried where none is named, and no number of requests either."""


def register(commands: Commands) -> None:
    parser = commands.add_parser(
        "trace", help="find the layer at which a perturbed prompt can be repaired (CREME)"
    )
    parser.add_argument("--suite", required=True, type=Path, metavar="FILE.toml")
    parser.add_argument("--perturb", required=True, metavar="NAME", help="C1, nlp:E1, ...")
    parser.add_argument("--task", help="its id; the first that the perturbation breaks")
    parser.add_argument("--seed", type=int, default=0, help="of the perturbation (0)")
    parser.add_argument("--samples", type=int, default=10, help="completions a layer (10)")
    parser.add_argument("--temperature", type=float, default=0.2, help="0 is greedy (0.2)")
    parser.add_argument("--align", choices=("tokens", "right", "paper"), default="tokens")
    parser.add_argument(
        "--requests", type=int, metavar="N", help="sweep over the first N tasks that break"
    )
    parser.add_argument("--picture", type=Path, metavar="FILE.svg", help="write the profile here")
    add_model_options(parser)
    parser.set_defaults(command=trace)


def trace(options: argparse.Namespace) -> int:
    """Prints the profile of one task; writes its picture when asked."""
    from pytest_coderobust.config.edits import EditConfig
    from pytest_coderobust.config.suite import read_suite
    from pytest_coderobust.editors.access import Access
    from pytest_coderobust.editors.identity import require_weights
    from pytest_coderobust.editors.localisation import trace as find
    from pytest_coderobust.reporting.terminal.profile import draw_picture, render_bars
    from pytest_coderobust.session.edits import refuse_served

    names = _split_names(options)
    how = _make_creme_options(options)
    config = read_suite(options.suite)
    with open_command_session(options) as session:
        refuse_served(session, "coderobust trace")
        suite = session.suite(session.refer(config.path), replace(config, edit=EditConfig()))
        for name in names:
            _check_perturbation(name, suite.plan)
        model = require_weights(session.backend, "creme")
        passing = partial(_judge, session, suite.plan.config)
        access = Access(model, judge=passing)
        if options.requests is not None:
            broken = _find_all_broken(names, options, suite.plan, model, passing)
            return _sweep(access, broken, how, passing)
        request = _find_request(options.perturb, options, suite.plan, model, passing)
        with access.frozen_weights():
            found = find(access, request, how, passing)
    print("\n".join(render_bars(found, request.label)))  # noqa: T201
    if options.picture:
        try:
            options.picture.write_text(draw_picture(found, request.label), encoding="utf-8")
        except OSError as error:
            raise DataError(f"{options.picture}: cannot be written: {error}") from None
    return 0


def _make_creme_options(options: argparse.Namespace) -> CremeOptions:
    """The options of the search for a layer, validated as `--edit creme:...` validates them."""
    from pytest_coderobust.editors.options import CremeOptions, make_options

    values: dict[str, object] = {
        name: getattr(options, name) for name in ("samples", "temperature", "align")
    }
    found = make_options(CremeOptions, values, "coderobust trace")
    assert isinstance(found, CremeOptions)
    return found


def _judge(
    session: Session, config: SuiteConfig, task: Task, completions: Sequence[str]
) -> list[bool]:
    """Tells for each completion whether it passes every test of its task."""
    from pytest_coderobust.engine.verdicts import make_check

    checks = [make_check(task, text, config) for text in completions]
    return [verdict.full for verdict in session.verdicts.in_order(checks)]


def _check_perturbation(name: str, plan: Plan) -> None:
    """Refuses a perturbation that the suite can neither draw nor has recorded.

    Raises:
        ConfigError: there is none of that name, or it lacks what it needs.
    """
    from pytest_coderobust.config.perturbations import check_perturbations

    if name in {cell.perturbation for cell in plan.cells}:
        return
    perturbing = plan.config.perturbing
    check_perturbations([name], plan.config.prompt_form, perturbing.rewriters, "--perturb: ")


def _find_request(
    name: str, options: argparse.Namespace, plan: Plan, model: Weighted, passing: PassTest
) -> EditRequest:
    """The task that was named, or the first one that the perturbation breaks.

    Raises:
        UsageError: there is no such task, or none of the first ones breaks.
    """
    tried = 0
    for request in _make_requests(name, options, plan):
        tried += 1
        if options.task or _breaks(request, model, passing):
            return request
    raise UsageError(_explain_unbroken(name, options, plan, tried))


def _find_broken(
    name: str, options: argparse.Namespace, plan: Plan, model: Weighted, passing: PassTest
) -> tuple[list[EditRequest], str]:
    """The first tasks that the perturbation breaks, as many as are asked for if there are.

    Returns:
        The requests, and a sentence where they are fewer than asked for, or "".
    """
    found: list[EditRequest] = []
    tried = 0
    for request in _make_requests(name, options, plan):
        tried += 1
        if _breaks(request, model, passing):
            found.append(request)
        if len(found) == options.requests:
            return found, ""
    if not found:
        return [], _explain_unbroken(name, options, plan, tried)
    return found, (
        f"{_label(name, options)} breaks {len(found)} of the suite's {len(plan.tasks)} tasks; "
        f"--requests asks for {options.requests}"
    )


def _find_all_broken(
    names: Sequence[str],
    options: argparse.Namespace,
    plan: Plan,
    model: Weighted,
    passing: PassTest,
) -> list[EditRequest]:
    """The tasks of a sweep; says of each perturbation what is missing.

    Raises:
        UsageError: no perturbation breaks any task.
    """
    pairs = [_find_broken(name, options, plan, model, passing) for name in names]
    found = [request for broken, _ in pairs for request in broken]
    short = [sentence for _, sentence in pairs if sentence]
    if not found:
        raise UsageError("; ".join(short))
    print("".join(f"{sentence}\n" for sentence in short), end="")  # noqa: T201
    return found


def _split_names(options: argparse.Namespace) -> list[str]:
    """The perturbations that are asked for; several in a sweep only.

    Raises:
        UsageError: less than one request is asked for, or something that a sweep does not take.
    """
    if options.requests is None:
        return [options.perturb]
    if options.requests < 1 or options.task or options.picture:
        raise UsageError(
            f"--requests {options.requests}: must be at least 1, and takes no --task or --picture"
        )
    return [each.strip() for each in options.perturb.split(",") if each.strip()]


def _sweep(
    access: Access, requests: Sequence[EditRequest], how: CremeOptions, passing: PassTest
) -> int:
    """Prints where the layers of many requests are."""
    from pytest_coderobust.editors.localisation import trace as find
    from pytest_coderobust.errors import EditRefused
    from pytest_coderobust.metrics.layer_sweep import sweep_layers
    from pytest_coderobust.records.editing import TracedRequest
    from pytest_coderobust.reporting.layer_rows import render_sweep

    traced: list[TracedRequest] = []
    for request in requests:
        try:
            with access.frozen_weights():
                found = find(access, request, how, passing)
        except EditRefused as refusal:  # drawn anew, its clean prompt fails
            print(refusal)  # noqa: T201
            continue
        name = request.perturbation
        traced.append(TracedRequest(name, request.task.id, found.key, found.profile))
    for sweep in sweep_layers(traced):
        print("\n".join(render_sweep(sweep)))  # noqa: T201
    return 0


def _make_requests(name: str, options: argparse.Namespace, plan: Plan) -> Iterator[EditRequest]:
    """Makes the request of each task that changes: the named one, all for a sweep, or the first.

    Raises:
        UsageError: there is no such task.
    """
    from pytest_coderobust.editors.protocol import EditRequest
    from pytest_coderobust.engine.variants import make_variant
    from pytest_coderobust.records import Cell

    cell = Cell(name, options.seed)
    if options.task is not None and options.task not in plan.tasks:
        raise UsageError(f"unknown task {options.task!r}{nearest(options.task, plan.tasks)}")
    most = _LOOK if options.requests is None else None
    for task in [options.task] if options.task else list(plan.tasks)[:most]:
        each = make_variant(plan, plan.tasks[task], cell)
        if not each.skipped:
            clean = plan.tasks[task].prompt
            yield EditRequest(each.task, clean, each.prompt, cell.perturbation, None, cell.seed)


def _explain_unbroken(name: str, options: argparse.Namespace, plan: Plan, tried: int) -> str:
    label = _label(name, options)
    if not tried:
        names = [options.task] if options.task else list(plan.tasks)[:3]
        return f"{label} finds nothing to change in {', '.join(names)}"
    if options.requests is not None:
        return f"{label} breaks none of the suite's {len(plan.tasks)} tasks"
    return f"{label} breaks none of the first {tried} tasks; name one with --task"


def _label(name: str, options: argparse.Namespace) -> str:
    from pytest_coderobust.records import Cell

    return Cell(name, options.seed).label


def _breaks(request: EditRequest, model: Weighted, passing: PassTest) -> bool:
    """Whether the clean prompt is solved and the perturbed one is not, greedily."""
    from pytest_coderobust.records import Cell, Row, Sampling, Variant

    cell = Cell(request.perturbation, request.seed)
    rows = [
        Row(Variant(request.task, Cell(), request.clean), 0, 0),
        Row(Variant(request.task, cell, request.perturbed), 0, 0),
    ]
    texts = [each.text for each in model.generate(rows, Sampling(max_new_tokens=128))]
    clean, perturbed = passing(request.task, texts)
    return clean and not perturbed
