"""Mean states of the prompts of knowledge cases, of those that train and those that decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch

from coderobust_strategies import PerturbationError, perturb
from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.case_splitting import LEAST, GroupSplit, PromptGroup
from pytest_coderobust.editors.encoder_training import CaseStates
from pytest_coderobust.editors.prompt_states import read_mean_states
from pytest_coderobust.editors.trained_options import Positives
from pytest_coderobust.errors import UsageError
from pytest_coderobust.knowledge.case_set import CaseSet
from pytest_coderobust.records.knowledge import KnowledgeCase

PERTURBED = ("C1", "C3", "W2")
"""Perturbations of perturbed positives: misspelled words, characters swapped in many, other words.
"""


@dataclass(frozen=True, slots=True, eq=False)
class SplitStates:
    """States of the three parts, and of the training's own prompts, each once (m, d)."""

    fit: CaseStates
    select: CaseStates
    calibrate: CaseStates
    bank: torch.Tensor


@lru_cache(maxsize=4)
def group_prompts(cases: CaseSet, positives: Positives, seed: int) -> tuple[PromptGroup, ...]:
    """Makes the groups of cases that have a positive and a neighbour, once a process.

    Raises:
        UsageError: there are too few.
    """
    groups: list[PromptGroup] = []
    for case in cases.cases:
        near = list_positives(case, positives, seed)
        if near and case.neighbours:
            groups.append(PromptGroup(case.prompt, near, case.neighbours))
    if len(groups) < LEAST:
        raise UsageError(
            f"train={cases.name}: {len(groups)} cases have a rewrite (positives={positives}) and a "
            f"neighbour; an encoder takes at least {LEAST}"
        )
    return tuple(groups)


def read_split(access: Access, layer: int, split: GroupSplit) -> SplitStates:
    """Reads the states of all prompts of a split."""
    rows = _read_rows(access, layer, [*split.fit, *split.select, *split.calibrate])
    return SplitStates(
        _stack(split.fit, rows),
        _stack(split.select, rows),
        _stack(split.calibrate, rows),
        torch.stack([rows[each] for each in split.bank]),
    )


def stack_all(access: Access, layer: int, groups: Sequence[PromptGroup]) -> CaseStates:
    """Reads the states of all prompts of groups, without a split."""
    return _stack(groups, _read_rows(access, layer, groups))


def _read_rows(
    access: Access, layer: int, groups: Sequence[PromptGroup]
) -> dict[str, torch.Tensor]:
    """Reads the state of each prompt, once."""
    prompts = list(dict.fromkeys(each for group in groups for each in group.prompts))
    states = read_mean_states(access, layer, [_encode(access, each) for each in prompts])
    return dict(zip(prompts, states, strict=True))


def list_positives(case: KnowledgeCase, positives: Positives, seed: int) -> tuple[str, ...]:
    """Lists the prompts that ask for the same as a case's: rewrites, perturbed ones or both."""
    wanted = positives
    if wanted == "auto":
        wanted = "rewrites" if case.rewrites else "perturbed"
    found = case.rewrites if wanted in ("rewrites", "both") else ()
    if wanted in ("perturbed", "both"):
        found = (*found, *_perturb(case, seed))
    return tuple(each for each in dict.fromkeys(found) if each != case.prompt)


def _perturb(case: KnowledgeCase, seed: int) -> list[str]:
    found: list[str] = []
    for name in PERTURBED:
        try:
            drawn = perturb(case.prompt, name, seed, task_id=case.id)
        except PerturbationError:
            continue
        if not drawn.skipped:
            found.append(drawn.prompt)
    return found


def _encode(access: Access, prompt: str) -> list[int]:
    ids = access.backend.encode(prompt, "python")
    return ids if access.loaded.window is None else ids[-access.loaded.window :]


def _stack(groups: Sequence[PromptGroup], rows: Mapping[str, torch.Tensor]) -> CaseStates:
    anchors = torch.stack([rows[group.anchor] for group in groups])
    near = [[rows[each] for each in group.positives] for group in groups]
    far = [[rows[each] for each in group.negatives] for group in groups]
    return CaseStates(anchors, *_pad(near, anchors), *_pad(far, anchors))


def _pad(
    lists: Sequence[Sequence[torch.Tensor]], anchors: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Fills lists of states up to a common length; returns them and which are real."""
    width = max(1, *map(len, lists))
    states = torch.zeros(len(lists), width, anchors.shape[1])
    real = torch.zeros(len(lists), width, dtype=torch.bool)
    for place, own in enumerate(lists):
        for at, each in enumerate(own):
            states[place, at], real[place, at] = each, True
    return states, real
