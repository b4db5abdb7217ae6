"""The variant of one prompt: the edits that a perturbation and a seed draw for it.

The module is not called `perturb` like its function: a module of that name would replace the
function in the package whenever it is imported anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from coderobust_strategies.catalogue import WITH_REWRITER, WITH_WORDNET, lookup
from coderobust_strategies.edit import Edit, apply_edits
from coderobust_strategies.perturbation import NO_SITE, Perturbation, PerturbationError
from coderobust_strategies.prompt.anatomy import Anatomy, dissect
from coderobust_strategies.site import drop_overlaps, noise, pick, sample, sample_exactly

if TYPE_CHECKING:
    from coderobust_strategies.rewrite import Rewriter


NOT_DRAWN = "left clean by sample_ratio"
NOT_RECORDED = "not recorded"
SAME = "the rewriter changed nothing"
DAMAGED = "damaged by the rewriter"
PROFILES = ("recode",)
Lexicon = Literal["bundled", "wordnet"]
LEXICONS: tuple[Lexicon, ...] = ("bundled", "wordnet")


@dataclass(frozen=True, slots=True)
class Perturbed:
    """A perturbed prompt.

    Attributes:
        prompt: the clean prompt after `edits`; the clean prompt itself when skipped.
        edits: the edits in order, as offsets into the clean prompt.
        member: the member that an aggregate drew, or "".
        skipped: the reason why there is no variant ("no eligible site", "damaged by the
            rewriter: numbers"), or "". A skipped prompt says nothing about robustness.
        damage: the kinds of damage in a variant that `keep_damaged` kept, or "".
    """

    prompt: str
    edits: tuple[Edit, ...] = ()
    member: str = ""
    skipped: str = ""
    damage: str = ""


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
    sample_ratio: float = 1.0,
    lexicon: Lexicon = "bundled",
    rewriter: Rewriter | None = None,
    recorded: str | None = None,
    keep_damaged: bool = False,
) -> Perturbed:
    """Makes the variant of a prompt under a perturbation and a seed.

    The same arguments give the same variant in every process. Randomness comes from
    (task_id, perturbation, seed) alone, so a task's variant does not depend on other tasks. A
    variant that is not skipped differs from its prompt: if the rate selects no site, one site is
    drawn uniformly.

    Args:
        entry_point: the function whose docstring is the description; its name is protected.
        code: the canonical solution, read for more identifiers to protect.
        profile: the source of the rates; "recode" is the only one.
        edit_rate: share of candidate sites that change, in (0, 1], instead of the profile's.
        sample_ratio: share of the samples that are perturbed at all. The others are skipped and
            keep their prompt. A higher share perturbs every sample that a lower share perturbs.
        lexicon: the source of words for W1, W2, nlp:E5 and nlp:E6. "wordnet" reads WordNet
            through NLTK, with all senses and at the papers' rates.
        rewriter: the rewriter of S1, nlp:P1 and nlp:P2. S and mix_all draw S1 only with one.
        recorded: the prompt as another tool rewrote it, instead of a rewriter; "" where there
            is no record of this prompt.
        keep_damaged: keeps a variant that its rewriter damaged (see
            `coderobust_strategies.audit`) instead of skipping it.

    Raises:
        RewriterNeeded: the perturbation needs a rewriter and there is none.
        UnknownPerturbation: no perturbation has that name.
        LexiconMissing: NLTK has no WordNet.
        PerturbationError: the profile or lexicon is unknown, or a rate lies outside its bounds.
    """
    can_rewrite = rewriter is not None or recorded is not None
    chosen, member = lookup(perturbation, rewriter=can_rewrite), ""
    _check(profile, edit_rate, sample_ratio, lexicon)
    if not is_drawn(task_id, perturbation, seed, sample_ratio):
        return Perturbed(prompt, skipped=NOT_DRAWN)
    if chosen.members:
        more = WITH_REWRITER.get(perturbation, ()) if can_rewrite else ()
        member = pick((*chosen.members, *more), noise(task_id, perturbation, seed))
        chosen = lookup(member, rewriter=can_rewrite)
    anatomy = dissect(prompt, entry_point, code)
    if chosen.rewrites:
        edits = _rewrite(anatomy, rewriter, recorded)
        if not edits:
            why = NOT_RECORDED if recorded == "" else SAME if anatomy.words else NO_SITE
            return Perturbed(prompt, member=member, skipped=why)
        return _audit(anatomy, edits, member, keep_damaged=keep_damaged)
    edits = _draw(anatomy, chosen, (task_id, chosen.name, seed), edit_rate, lexicon)
    if not edits:
        return Perturbed(prompt, member=member, skipped=NO_SITE)
    return Perturbed(apply_edits(prompt, edits), edits, member)


def is_drawn(task_id: str, perturbation: str, seed: int, sample_ratio: float) -> bool:
    """Says whether a sample belongs to the share of samples that is perturbed."""
    return noise(task_id, perturbation, seed, "sample").random() < sample_ratio


def _rewrite(anatomy: Anatomy, rewriter: Rewriter | None, recorded: str | None) -> tuple[Edit, ...]:
    from coderobust_strategies.rewrite import diff, rewrite

    if recorded is not None:
        return diff(anatomy.prompt, recorded or anatomy.prompt)
    assert rewriter is not None, "lookup() raises without a rewriter"
    edits = rewrite(anatomy, rewriter)
    return edits if apply_edits(anatomy.prompt, edits) != anatomy.prompt else ()


def _audit(
    anatomy: Anatomy, edits: tuple[Edit, ...], member: str, *, keep_damaged: bool
) -> Perturbed:
    from coderobust_strategies.audit import audit, kinds

    clean = anatomy.prompt
    made = apply_edits(clean, edits)
    found = kinds(audit(clean, made))
    if found and not keep_damaged:
        return Perturbed(clean, member=member, skipped=f"{DAMAGED}: {found}")
    return Perturbed(made, edits, member, damage=found)


def _draw(
    anatomy: Anatomy,
    chosen: Perturbation,
    key: tuple[str | int, ...],
    edit_rate: float | None,
    lexicon: Lexicon,
) -> tuple[Edit, ...]:
    """Draws edits for one part after the other, then drops those that overlap."""
    rng = noise(*key)
    draw = sample if chosen.draw == "each" else sample_exactly
    drawn: list[Edit] = []
    for bundled in chosen.parts:
        part = WITH_WORDNET.get(bundled.code, bundled) if lexicon == "wordnet" else bundled
        rate = part.rate if edit_rate is None else edit_rate
        drawn.extend(draw(part.sites(anatomy), rate, rng))
    return drop_overlaps(drawn)


def _check(profile: str, edit_rate: float | None, sample_ratio: float, lexicon: str) -> None:
    if profile not in PROFILES:
        raise PerturbationError(f"unknown profile {profile!r} (valid: {', '.join(PROFILES)})")
    if edit_rate is not None and not 0.0 < edit_rate <= 1.0:
        raise PerturbationError(f"edit_rate must lie in (0, 1], got {edit_rate!r}")
    if not 0.0 <= sample_ratio <= 1.0:
        raise PerturbationError(f"sample_ratio must lie in [0, 1], got {sample_ratio!r}")
    if lexicon not in LEXICONS:
        raise PerturbationError(f"unknown lexicon {lexicon!r} (valid: {', '.join(LEXICONS)})")
