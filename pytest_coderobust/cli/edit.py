"""`coderobust edit`: edit a model for one request of a suite, and save the edit."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.cli.command import Commands
from pytest_coderobust.cli.options import add_model_options, open_command_session

if TYPE_CHECKING:
    from pytest_coderobust.config.suite import SuiteConfig
    from pytest_coderobust.editors.protocol import EditRequest
    from pytest_coderobust.editors.registry import EditorSpec
    from pytest_coderobust.engine.measurement import Measurement


def register(commands: Commands) -> None:
    from pytest_coderobust.editors.registry import EDITORS

    parser = commands.add_parser("edit", help="edit a model for a suite's request, and save it")
    parser.add_argument(
        "--edit",
        required=True,
        help=f"an editor, as in pytest --edit: {', '.join(EDITORS)}; options follow a colon",
    )
    parser.add_argument("--suite", required=True, type=Path, help="a suite file")
    parser.add_argument("--out", required=True, type=Path, help="the folder to save into")
    parser.add_argument(
        "--perturb",
        help="the perturbation to edit for (default: the first that breaks a task of the suite)",
    )
    add_model_options(parser)
    parser.set_defaults(command=edit)


def edit(options: argparse.Namespace) -> int:
    """Draws the request that `pytest --edit` would draw, applies the edit and saves it."""
    from pytest_coderobust.editors.edited_model import edited
    from pytest_coderobust.editors.identity import require_weights
    from pytest_coderobust.editors.saved_edits import save_edit
    from pytest_coderobust.editors.stack import check_model
    from pytest_coderobust.engine.edited.model_states import read_facts
    from pytest_coderobust.errors import UsageError
    from pytest_coderobust.session.edits import refuse_served

    spec = _read_editor(options.edit)
    if options.out.exists() and any(options.out.iterdir()):
        raise UsageError(f"--out {options.out}: the folder is not empty")
    config = _read_suite(options)
    with open_command_session(options) as session:
        refuse_served(session, f"--edit {spec.label}")
        backend = require_weights(session.backend, spec.label)
        check_model([spec], backend)
        base = session.suite(session.refer(config.path), config).single
        requests = _draw_requests(base, options.perturb)
        with edited(backend, spec, requests) as model:
            seconds = model.cost.seconds or 0.0
            notes = read_facts(model).notes
            change = model.change
        save_edit(options.out, backend, change, spec, requests)
    named = ", ".join(each.label for each in requests)
    print(f"{spec.label} for {named}: {seconds:.1f} s, saved in {options.out}")  # noqa: T201
    for note in notes:
        print(f"  {note}")  # noqa: T201
    print(f"test it: pytest {options.suite} --model={options.model} --edit={options.out}")  # noqa: T201
    return 0


def _read_editor(text: str) -> EditorSpec:
    """The editor that `--edit` names.

    Raises:
        UsageError: there is no such editor, or the edit is saved already.
    """
    from pytest_coderobust.config.edits import EditConfig, with_editors
    from pytest_coderobust.editors.registry import EditorSpec, parse_edit
    from pytest_coderobust.errors import UsageError

    (named,) = with_editors(EditConfig(), [text], "--edit").editors
    spec = parse_edit(named)
    if not isinstance(spec, EditorSpec):
        raise UsageError(f"--edit {named}: is a saved edit already; name an editor")
    return spec


def _read_suite(options: argparse.Namespace) -> SuiteConfig:
    """The suite without edits of its own, under the perturbation that the command names."""
    from pytest_coderobust.config.suite import read_suite, with_perturbations

    config = read_suite(options.suite)
    if options.perturb:
        config = with_perturbations(config, [options.perturb], "--perturb: ")
    return replace(config, edit=replace(config.edit, editors=()))


def _draw_requests(base: Measurement, perturbation: str | None) -> tuple[EditRequest, ...]:
    """The request of the first perturbation that has one.

    Raises:
        DataError: nothing is solved clean and broken perturbed.
    """
    from pytest_coderobust.engine.edited.requests import draw_requests, find_broken_squares
    from pytest_coderobust.errors import DataError

    plan = base.plan
    names = dict.fromkeys(cell.perturbation for cell in plan.cells if not cell.is_clean)
    base.want([(task, cell) for cell in plan.cells for task in plan.tasks])
    config = plan.config.edit
    for name in names:
        broken = find_broken_squares(base, name)
        if requests := draw_requests(base, broken, config.requests, config.seed):
            return requests
    about = perturbation or ", ".join(names) or "no perturbation"
    raise DataError(
        f"{plan.config.path}: no eligible request: no task is solved clean and broken under {about}"
    )
