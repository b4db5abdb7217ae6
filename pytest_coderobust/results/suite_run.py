"""The run of a suite, assembled from the observations in a ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from coderobust_strategies.catalogue import list_changes
from pytest_coderobust.engine.keys import make_comparison_basis
from pytest_coderobust.engine.plan import Plan
from pytest_coderobust.engine.variants import make_variant
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.metrics.unseen import UNSEEN, describe_unseen, pool_unseen
from pytest_coderobust.records import TRAINED_ON, ModelIdentity, Square, SuiteRun
from pytest_coderobust.results.plan_order import order_by_plan

MOST_REFUSED = 0.01
"""Share of completions that a server may refuse before nothing can be decided."""


def assemble(
    plan: Plan,
    ledger: Ledger,
    run: str,
    model: ModelIdentity,
    tier: str,
    *,
    seen: Collection[Square],
    trouble: str = "",
) -> SuiteRun:
    """Assembles the run of one suite in plan order; any processes may have measured it.

    Args:
        run: the key of the observations in the ledger.
        seen: the squares measured in this session; older observations of the same run do not
            make a partial run complete.
        trouble: the reason for missing squares, as far as it is known ("2 in error").
    """
    placed = order_by_plan(ledger.squares.read(run), plan.tasks, plan.cells)
    observations = tuple(
        found for found in placed if found is not None and (found.task_id, found.cell) in seen
    )
    del placed
    return SuiteRun(
        suite=plan.config.name,
        model=model,
        sampling=plan.config.sampling,
        ks=plan.config.ks,
        solved_at=plan.config.solved_at,
        tasks=tuple(plan.tasks),
        cells=plan.cells,
        levels=plan.levels,
        observations=observations,
        tier=tier,
        incomplete=_explain_incomplete(
            len(plan.tasks) * len(plan.cells), len(observations), trouble
        ),
        notes=(*plan.notes, *_note_kept(plan, seen), *_note_trained(plan, model)),
        api_changes=plan.api_changes,
        basis=make_comparison_basis(plan.digest, plan.config),
        bill=ledger.bills.of_run(run),
        waves=ledger.waves.read(run),
        train=plan.config.train,
        refusals=ledger.refusals.count_reasons(
            run, [(o.task_id, o.cell) for o in observations if o.refused]
        ),
    )


def note_refused(run: SuiteRun) -> SuiteRun:
    """Marks a run as partial where the model's server refused more than `MOST_REFUSED` of it."""
    drawn = sum(o.n for o in run.observations if o.measured)
    refused = sum(o.refused for o in run.observations if o.measured)
    if refused <= MOST_REFUSED * drawn:
        return run
    told = f"the server refused {refused} of {drawn} completions; a new run asks for them again"
    why = f"{run.incomplete}; {told}" if run.incomplete else told
    return replace(run, incomplete=why, course=None)


def _note_trained(plan: Plan, model: ModelIdentity) -> tuple[str, ...]:
    """Notes what the suite holds to be unseen, and whether the model was trained on some of it."""
    train = plan.config.train
    if not train:
        return ()
    names = tuple(dict.fromkeys(cell.perturbation for cell in plan.cells if not cell.is_clean))
    unseen = pool_unseen(names, train).get(UNSEEN, ())
    told = model.facts.get(TRAINED_ON, "")
    learnt = frozenset[str]().union(*map(list_changes, filter(None, told.split(", "))))
    known = [name for name in unseen if not list_changes(name).isdisjoint(learnt)]
    notes = [f"what models may be trained on: {describe_unseen(names, train)}"]
    if known:
        notes.append(f"not unseen by this model, which was trained on {told}: {', '.join(known)}")
    return tuple(notes)


def _note_kept(plan: Plan, seen: Collection[Square]) -> tuple[str, ...]:
    """Notes the damaged variants of each rewriting perturbation that the suite asked to keep.

    The ledger has the rewritten texts, so that no rewriter works again here.
    """
    perturbing = plan.config.perturbing
    notes: list[str] = []
    if not perturbing.keep_damaged:
        return ()
    for cell in plan.cells:
        rewritten = (
            perturbing.rewriters.serving(cell.perturbation)
            or cell.perturbation in plan.rewrite_sources
        )
        if cell in plan.recorded or not rewritten:
            continue
        found = [task for task in plan.tasks.values() if (task.id, cell) in seen]
        damage = Counter(kind for task in found if (kind := make_variant(plan, task, cell).damage))
        if damage:
            what = ", ".join(f"{count} {kind}" for kind, count in damage.most_common())
            notes.append(
                f"{cell.label}: {damage.total()} of {len(found)} variants are damaged and were "
                f'kept (damaged = "keep"): {what}'
            )
    return tuple(notes)


def _explain_incomplete(planned: int, measured: int, trouble: str) -> str:
    missing = planned - measured
    if not missing:
        return ""
    return f"{missing} of {planned} items not measured" + (f" ({trouble})" if trouble else "")
