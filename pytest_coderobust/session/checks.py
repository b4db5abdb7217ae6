"""Choices that contradict each other or cannot be, refused before anything heavy loads."""

from __future__ import annotations

from pytest_coderobust.config.edits import EditConfig, with_editors
from pytest_coderobust.errors import UsageError
from pytest_coderobust.reporting.formats import OWN, load_code
from pytest_coderobust.session.baselines import check_baseline
from pytest_coderobust.session.choices import Choices, spell_for_pytest
from pytest_coderobust.session.edits import read_stack
from pytest_coderobust.session.models import list_known_models
from pytest_coderobust.session.options import CLASHES
from pytest_coderobust.session.quality import choose_linter
from pytest_coderobust.session.resources import Resources

WHOLE_ONLY = {
    "baseline": "--baseline compares whole runs",
    "noise_floor": "--noise-floor asks every clean prompt again",
    "hunt": "--hunt searches every solved task",
    "strict": "--coderobust-strict wants the outcome of every item",
    "edit": "--edit makes several models",
}
"""Choices under which nothing may be left out, with the reason."""

WHOLE_RUN = {
    "edit": "--edit makes a model of a whole run's failures",
    "hunt": WHOLE_ONLY["hunt"],
    "early": "--coderobust-early settles gates on the whole",
    "budget": "--budget spends one purse on the whole",
    "noise_floor": WHOLE_ONLY["noise_floor"],
    "baseline": f"{WHOLE_ONLY['baseline']} (`coderobust gate` takes it after the merge)",
    "quality": "--quality pairs solutions of the whole run",
}
"""Choices that a shard cannot have, with the reason."""


def check_choices(resources: Resources) -> None:
    """Refuses what can be seen to be wrong in the choices alone.

    Raises:
        UsageError: a name is unknown, a value impossible, or two choices contradict each other.
    """
    from pytest_coderobust.config.perturbations import check_names
    from pytest_coderobust.models.registry import check_model_name, is_served

    choices = resources.choices
    check_formats(choices)
    check_baseline(choices)
    check_early(choices)
    check_shard(choices)
    check_quality(choices)
    if choices.model is not None:
        known = list_known_models(resources.settings)
        check_model_name(choices.model, known)
        if is_served(choices.model, known):
            resources.backend  # noqa: B018 - reads the key, and asks nobody
    check_names(choices.perturb or (), "--perturb: ")
    if choices.edit:
        read_stack(with_editors(EditConfig(), choices.edit, "--edit"), resources)
    if choices.budget is not None:
        from pytest_coderobust.engine.budget import parse_budget

        budget = parse_budget(choices.budget)
        if budget.spends and choices.model is not None:
            from pytest_coderobust.engine.spending import Cap, check_cap

            check_cap(Cap(budget.money, budget.tokens), resources.backend, resources.model)
    if choices.hunt:
        from pytest_coderobust.hunting.hunt import check_huntable

        check_huntable(resources.backend.keyed_by, resources.model)


def check_formats(choices: Choices) -> None:
    """Refuses formats of installed packages that cannot be used, before anything is measured.

    Raises:
        UsageError: one has the name of an option of ours, or one that was asked for cannot be
            imported.
    """
    if CLASHES:
        raise UsageError(
            f"the report format {CLASHES[0]!r} of an installed package has the name of the option "
            f"{spell_for_pytest(CLASHES[0])}; uninstall the package, or rename its format"
        )
    for name in choices.formats:
        if name not in OWN:
            load_code(name)


def check_quality(choices: Choices) -> None:
    """Refuses a linter that is not installed, and the paper's way with another one.

    Raises:
        UsageError: see above.
    """
    if choices.quality_paper and choices.quality == "ruff":
        raise UsageError("--quality-paper is pylint's, and --quality is ruff: leave one out")
    if (tool := choose_linter(choices)) is not None:
        tool.find_version()


def check_early(choices: Choices) -> None:
    """Refuses choices that contradict an early end.

    Raises:
        UsageError: the run may not end early, or its budget bounds nothing.
    """
    if choices.early and (why := explain_whole(choices)):
        raise UsageError(
            f"--coderobust-early leaves out what decides no gate, and {why}: leave one out"
        )
    if choices.early and not choices.gates:
        raise UsageError(
            "--coderobust-early settles gates, and --coderobust-no-gates has none: leave one out"
        )
    if choices.budget is not None and not choices.hunt:
        for name in ("noise_floor", "edit"):
            if getattr(choices, name):
                raise UsageError(
                    f"--budget bounds the run of a suite, and {WHOLE_ONLY[name]}: leave one out"
                )


def check_shard(choices: Choices) -> None:
    """Refuses what a part of a run cannot do.

    Raises:
        UsageError: see above.
    """
    if choices.shard is None:
        return
    for name, why in WHOLE_RUN.items():
        if getattr(choices, name):
            raise UsageError(
                f"--coderobust-shard measures a part of every suite, and {why}: leave one out"
            )


def explain_whole(choices: Choices) -> str:
    """Why nothing may be left out, or ""."""
    return next((why for name, why in WHOLE_ONLY.items() if getattr(choices, name)), "")
