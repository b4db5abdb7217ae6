"""Measures A-GRACE's encoders and rules on the bundled model's own cases.

    python bench/a_grace.py [--seeds 3] [--own-neighbours]

Encoders are trained and calibrated on tiny:train and measured on tiny:cases, which calibrated
nothing. Each cell is generalisation / all-of-five specificity. With --own-neighbours the training
cases are one another's neighbours, as those of a file that names none; the second line of an
encoder is then what its calibration cases say.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence

import torch

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.case_splitting import split_groups
from pytest_coderobust.editors.case_states import SplitStates, group_prompts, read_split, stack_all
from pytest_coderobust.editors.encoder_store import one_processor
from pytest_coderobust.editors.encoder_training import CaseStates, EncoderRecipe, train_encoder
from pytest_coderobust.editors.hit_calibration import (
    HitThreshold,
    calibrate,
    measure_threshold,
    score_cases,
)
from pytest_coderobust.editors.identity import require_weights
from pytest_coderobust.editors.prompt_encoder import PromptEncoder
from pytest_coderobust.knowledge.case_set import CaseSet
from pytest_coderobust.knowledge.neighbours import Draft, PoolItem, fill_neighbours
from pytest_coderobust.knowledge.reading import read_case_set
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.registry import open_backend
from pytest_coderobust.tiny.edit_cases import draw_cases

PUBLISHED = EncoderRecipe("contrastive", 1.3, lr=1e-4, dropout=0.5)
RECIPES = {
    "published, m=1.3": PUBLISHED,
    "published, m=2.5": dataclasses.replace(PUBLISHED, margin=2.5),
    "released code, m=1": dataclasses.replace(PUBLISHED, margin=1.0, slope=0.5),
    "InfoNCE": EncoderRecipe("infonce"),
}


def read_training(*, own: bool) -> CaseSet:
    """Reads tiny:train; `own` takes each case's neighbours from the other cases' inputs."""
    if not own:
        return read_case_set("tiny:train")
    drafts = [Draft(each.case, each.case.prompt, each.composition) for each in draw_cases("train")]
    pool = [PoolItem(each.text, each.case.prompt, each.group) for each in drafts]
    return CaseSet("tiny:train, own neighbours", tuple(fill_neighbours(drafts, pool)))


def read_states(seed: int, layer: int = 6, *, own: bool = False) -> tuple[SplitStates, CaseStates]:
    """Reads the states of both sets; the training's are split by the seed."""
    access = Access(require_weights(open_backend("tiny", options=ModelOptions()), "a-grace"))
    with access.model_threads():
        cases = read_training(own=own)
        groups = split_groups(cases.name, group_prompts(cases, "rewrites", 0), seed)
        split = read_split(access, layer, groups)
        fresh = stack_all(access, layer, group_prompts(read_case_set("tiny:cases"), "rewrites", 0))
    return split, fresh


def measure_recipe(
    split: SplitStates,
    fresh: CaseStates,
    recipe: EncoderRecipe,
    seed: int,
    specificity: float = 0.9,
) -> tuple[PromptEncoder, HitThreshold, HitThreshold, HitThreshold]:
    """Trains an encoder; measures a radius of 1, the calibrated radius and the calibrated ratio."""
    with one_processor():
        encoder = train_encoder(split.fit, split.select, recipe, seed).encoder
        bank = encoder.encode(split.bank)
        by_radius, by_ratio = (score_cases(encoder, fresh, each) for each in (None, bank))
        limits = [
            calibrate(score_cases(encoder, split.calibrate, each), specificity).value
            for each in (None, bank)
        ]
    return (
        encoder,
        measure_threshold(by_radius, 1.0),
        measure_threshold(by_radius, limits[0]),
        measure_threshold(by_ratio, limits[1]),
    )


def print_cells(name: str, cells: Sequence[HitThreshold]) -> None:
    """Prints one line of the table."""
    shown = [f"{each.generalisation:.3f}/{each.specificity:.3f}" for each in cells]
    print(f"{name:<22}{shown[0]:>14}{shown[1]:>16}{shown[2]:>16}", flush=True)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--own-neighbours", action="store_true")
    options = parser.parse_args()
    print(f"{'':<22}{'radius 1':>14}{'radius at .90':>16}{'ratio at .90':>16}")
    for seed in range(options.seeds):
        split, fresh = read_states(seed, own=options.own_neighbours)
        for name, recipe in RECIPES.items():
            _, *cells = measure_recipe(split, fresh, recipe, seed)
            print_cells(name, cells)
            if options.own_neighbours:
                _, *cells = measure_recipe(split, split.calibrate, recipe, seed)
                print_cells(f"  {cells[0].cases} held-out cases", cells)


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
