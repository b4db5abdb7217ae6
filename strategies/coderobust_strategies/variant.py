"""Perturbs one prompt: draws a perturbation's edits for a task and a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from coderobust_strategies.anatomy import Anatomy, dissect
from coderobust_strategies.catalogue import WITH_REWRITER, lookup
from coderobust_strategies.edit import Edit, apply_edits
from coderobust_strategies.perturbation import Perturbation, PerturbationError
from coderobust_strategies.site import compatible, noise, pick, sample, sample_exactly

if TYPE_CHECKING:
    from coderobust_strategies.rewrite import Rewriter

NO_SITE = "no eligible site"
SAME = "the rewriter changed nothing"
DAMAGED = "damaged by the rewriter"
PROFILES = ("recode",)


@dataclass(frozen=True, slots=True)
class Perturbed:
    """A perturbed prompt.

    Attributes:
        prompt: the clean prompt after `edits`; the clean prompt itself when skipped.
        edits: in order, as offsets into the clean prompt.
        member: the member that an aggregate drew, or "".
        skipped: why there is no variant ("no eligible site", "damaged by the rewriter:
            numbers"), or "". A skipped prompt says nothing about robustness.
    """

    prompt: str
    edits: tuple[Edit, ...] = ()
    member: str = ""
    skipped: str = ""


def perturb(
    prompt: str,
    perturbation: str,
    seed: int,
    *,
    task_id: str = "",
    entry_point: str = "",
    code: str = "",
    profile: str = "recode",
    edit_rate: float | None = None,
    rewriter: Rewriter | None = None,
    keep_damaged: bool = False,
) -> Perturbed:
    """The variant of a prompt under a perturbation and a seed.

    The same arguments give the same variant in every process. Randomness comes from
    (task_id, perturbation, seed) alone, so a task's variant does not depend on the others. A
    variant that is not skipped differs from its prompt: if no site is drawn at the rate, one is
    drawn uniformly.

    Args:
        entry_point: the function whose docstring is the description; its name is protected.
        code: the canonical solution, read for more identifiers to protect.
        profile: whose rates; "recode" is the only one.
        edit_rate: share of candidate sites that change, in (0, 1], instead of the profile's.
        rewriter: the engine behind S1, nlp:P1 and nlp:P2; S and mix_all draw S1 only with one.
        keep_damaged: keeps what a rewriter damaged (see `coderobust_strategies.audit`) instead
            of skipping it.

    Raises:
        RewriterNeeded: the perturbation needs a rewriter and there is none.
        UnknownPerturbation: no perturbation has that name.
        PerturbationError: the profile is unknown or the rate lies outside (0, 1].
    """
    can_rewrite = rewriter is not None
    chosen, member = lookup(perturbation, rewriter=can_rewrite), ""
    _check(profile, edit_rate)
    if chosen.members:
        more = WITH_REWRITER.get(perturbation, ()) if can_rewrite else ()
        member = pick((*chosen.members, *more), noise(task_id, perturbation, seed))
        chosen = lookup(member, rewriter=can_rewrite)
    anatomy = dissect(prompt, entry_point, code)
    if chosen.rewrites and rewriter is not None:
        return _rewrite(anatomy, rewriter, member, keep_damaged=keep_damaged)
    edits = _draw(anatomy, chosen, (task_id, chosen.name, seed), edit_rate)
    if not edits:
        return Perturbed(prompt, member=member, skipped=NO_SITE)
    return Perturbed(apply_edits(prompt, edits), edits, member)


def _rewrite(anatomy: Anatomy, rewriter: Rewriter, member: str, *, keep_damaged: bool) -> Perturbed:
    from coderobust_strategies.audit import audit, damaged
    from coderobust_strategies.rewrite import rewritten

    clean = anatomy.prompt
    edits = rewritten(anatomy, rewriter)
    made = apply_edits(clean, edits)
    if made == clean:
        return Perturbed(clean, member=member, skipped=SAME if anatomy.words else NO_SITE)
    found = audit(clean, made)
    if damaged(found) and not keep_damaged:
        kinds = ", ".join(each.kind for each in found if each.kind != "structure")
        return Perturbed(clean, member=member, skipped=f"{DAMAGED}: {kinds}")
    return Perturbed(made, edits, member)


def _draw(
    anatomy: Anatomy,
    chosen: Perturbation,
    key: tuple[str | int, ...],
    edit_rate: float | None,
) -> tuple[Edit, ...]:
    """Edits of every part, drawn one part after the other; overlaps are dropped in the end."""
    rng = noise(*key)
    draw = sample if chosen.draw == "each" else sample_exactly
    drawn: list[Edit] = []
    for part in chosen.parts:
        rate = part.rate if edit_rate is None else edit_rate
        drawn.extend(draw(part.sites(anatomy), rate, rng))
    return compatible(drawn)


def _check(profile: str, edit_rate: float | None) -> None:
    if profile not in PROFILES:
        raise PerturbationError(f"unknown profile {profile!r} (valid: {', '.join(PROFILES)})")
    if edit_rate is not None and not 0.0 < edit_rate <= 1.0:
        raise PerturbationError(f"edit_rate must lie in (0, 1], got {edit_rate!r}")
