"""Trained encoders with all that calibrates them, trained once and kept by digest."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.case_splitting import GroupSplit, split_groups
from pytest_coderobust.editors.case_states import group_prompts, read_split
from pytest_coderobust.editors.encoder_training import EncoderRecipe, TrainedCodes, train_encoder
from pytest_coderobust.editors.hit_calibration import HeldOutScores, score_cases
from pytest_coderobust.editors.network_files import (
    TEXTS,
    NetworkFile,
    describe_owner,
    find_network,
    open_network,
    read_network,
    write_network,
)
from pytest_coderobust.editors.prompt_encoder import PromptEncoder, read_weights
from pytest_coderobust.editors.trained_options import AGraceOptions
from pytest_coderobust.errors import ModelError, UsageError
from pytest_coderobust.knowledge.case_set import CaseSet
from pytest_coderobust.knowledge.choosing import digest_texts

KIND = "encoders"
_VERSION = 2  # 2: no calibration prompt is in the training


@dataclass(frozen=True, slots=True, eq=False)
class KeptEncoder:
    """Encoder of one layer's prompts, with a bank and the scores of held-out cases.

    Attributes:
        bank: codes of the training's prompts, (b, 256).
        by_radius, by_ratio: scores of the calibration cases.
        facts: of the training: cases, those that trained (`fitted`) with their neighbours
            (`negatives`), prompts of the bank, epochs, AUC or loss, seconds.
    """

    layer: int
    encoder: PromptEncoder
    bank: torch.Tensor
    by_radius: HeldOutScores
    by_ratio: HeldOutScores
    facts: dict[str, object]


def make_recipe(options: AGraceOptions) -> EncoderRecipe:
    """Makes the recipe that options ask for: of the published contrastive loss, or ours."""
    if options.loss == "contrastive":
        return EncoderRecipe("contrastive", options.margin, lr=1e-4, dropout=0.5)
    return EncoderRecipe("infonce")


def stock_encoder(
    access: Access, layer: int, cases: CaseSet, options: AGraceOptions
) -> KeptEncoder:
    """Reads the encoder of a layer from the cache, or trains it and keeps it there.

    Raises:
        UsageError: there are too few cases, or they share too many prompts.
        ModelError: the training diverged.
    """
    recipe = make_recipe(options)
    parts = (_VERSION, layer, cases.digest, recipe, options.positives, options.seed)
    path = find_network(KIND, access, *map(str, parts))
    found = read_network(path)
    if found is None:
        found = _train(access, layer, cases, options, recipe)
        write_network(path, found)
        return _unpack(found)
    kept = _unpack(found)
    return KeptEncoder(
        kept.layer,
        kept.encoder,
        kept.bank,
        kept.by_radius,
        kept.by_ratio,
        {**kept.facts, "trained": 0.0},
    )


def load_encoder(access: Access, text: str, layer: int | None) -> KeptEncoder:
    """Reads the encoder that a user names.

    Args:
        layer: the layer that is asked for; None takes the encoder's.

    Raises:
        DataError: the file is missing or damaged.
        ModelError: the encoder was trained for another model.
        UsageError: it was trained for another layer.
    """
    where = f"encoder={text}"
    kept = _unpack(open_network(Path(text).expanduser(), KIND, access, where))
    if layer is not None and layer != kept.layer:
        raise UsageError(f"{where}: was trained for layer {kept.layer}, not for layer={layer}")
    return kept


def _train(
    access: Access, layer: int, cases: CaseSet, options: AGraceOptions, recipe: EncoderRecipe
) -> NetworkFile:
    started = time.perf_counter()
    groups = group_prompts(cases, options.positives, options.seed)
    split = split_groups(cases.name, groups, options.seed)
    states = read_split(access, layer, split)
    try:
        with one_processor():
            trained = train_encoder(states.fit, states.select, recipe, options.seed)
            encoder = trained.encoder
            with torch.no_grad():
                bank = encoder.encode(states.bank)
                scores = [score_cases(encoder, states.calibrate, each) for each in (None, bank)]
    except FloatingPointError as error:
        raise ModelError(f"train={cases.name}: {error}; choose another layer or cases") from None
    tensors = {
        **encoder.weights.named("encoder."),
        "bank": bank,
        **{
            f"{name}.{side}": getattr(each, side)
            for name, each in zip(("radius", "ratio"), scores, strict=True)
            for side in ("near", "far")
        },
    }
    about = {
        **describe_owner(KIND, access),
        TEXTS: digest_texts(cases.cases),
        "layer": layer,
        "slope": encoder.slope,
        "unit": encoder.unit,
        "facts": {
            **_describe_training(trained, recipe),
            **_describe_split(split),
            "cases": len(groups),
            "trained": round(time.perf_counter() - started, 3),
        },
    }
    return NetworkFile(tensors, about)


def _describe_training(trained: TrainedCodes, recipe: EncoderRecipe) -> dict[str, object]:
    name = "auc" if recipe.loss == "infonce" else "loss"
    return {name: trained.held[trained.best - 1], "epochs": len(trained.held)}


def _describe_split(split: GroupSplit) -> dict[str, object]:
    """Describes what trains: cases, their neighbours, and prompts of the bank."""
    return {"fitted": len(split.fit), "negatives": split.negatives, "bank": len(split.bank)}


def _unpack(found: NetworkFile) -> KeptEncoder:
    """Takes a file apart."""
    about, tensors = found.about, found.tensors
    encoder = PromptEncoder(
        read_weights(tensors, "encoder."), cast("float", about["slope"]), bool(about["unit"])
    )
    radius, ratio = (
        HeldOutScores(tensors[f"{name}.near"], tensors[f"{name}.far"])
        for name in ("radius", "ratio")
    )
    facts = cast("dict[str, object]", about["facts"])
    return KeptEncoder(
        cast("int", about["layer"]), encoder, tensors["bank"], radius, ratio, dict(facts)
    )


@contextmanager
def one_processor() -> Generator[None]:
    """Context in which torch uses one thread: sums then have the same order everywhere."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
