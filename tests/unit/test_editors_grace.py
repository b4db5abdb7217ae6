"""GRACE's codebook: where it answers, and how its balls part."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
import torch
from support.editors_contract import OTHER, PERTURBED, REQUEST, SAMPLING, computed, logits, model_of
from support.models_architectures import ARCHITECTURES
from support.models_checkpoints import row

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.codebook import insert_key
from pytest_coderobust.editors.edited_model import edited, successive
from pytest_coderobust.editors.registry import parse_edit

pytestmark = pytest.mark.usefixtures("one_thread")

TEXT = "grace:layer=0,steps=4,init=warm,replace=all,gain=0"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("grace")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_outside_its_radius_nothing_moves(architecture: str, root: Path) -> None:
    model = model_of(architecture, root)
    far = [model.encode(text, "python") for text in ("import os\n", "x = 1 + 2\n")]
    access = Access(model)
    batch = access.batch(far)
    with torch.no_grad():
        before = access.logits(batch)
    inside = logits(model)
    # Under parallel attention the first layer's MLP sees the last token alone, so every prompt
    # that ends alike has one key there.
    change = computed(access, f"{TEXT},epsilon=0.001".replace("layer=0", "layer=1"))
    with change.installed(access), torch.no_grad():
        assert torch.equal(access.logits(batch), before)
        assert not torch.equal(logits(model), inside)


def test_positions_before_the_last_are_identical(root: Path) -> None:
    llama = model_of("llama", root)
    change = computed(Access(llama), TEXT.replace("all", "last"))
    before = logits(llama)
    with change.installed(Access(llama)):
        after = logits(llama)
    assert torch.equal(after[:, :-1], before[:, :-1])
    assert not torch.equal(after[:, -1], before[:, -1])


def test_a_row_of_a_padded_batch_is_looked_up_at_its_own_end(root: Path) -> None:
    llama = model_of("llama", root)
    with edited(llama, parse_edit(f"{TEXT},epsilon=0.001"), [REQUEST]) as model:  # type: ignore[arg-type]
        rows = [row(PERTURBED), row("import os\n"), row("x")]
        together = model.generate(rows, SAMPLING)
        assert together == [model.generate([each], SAMPLING)[0] for each in rows]


def test_a_split_makes_the_balls_disjoint() -> None:
    query, value = torch.tensor([0.0, 0.0]), torch.zeros(1)
    book, _ = insert_key(None, query, value, (1,), 1.0)
    near = torch.tensor([1.5, 0.0])
    book, place = insert_key(book, near, value, (2,), 1.0)
    assert place == 1
    assert float(book.radii.sum()) < 1.5
    book, place = insert_key(book, near + 0.2, value, (2,), 1.0)
    assert (place, len(book.labels)) == (1, 2), "the same label is the same key"
    book, place = insert_key(book, near + 9, value, (1,), 1.0)
    assert (place, float(book.radii[2])) == (2, 1.0), "far away is a key of its own"


def test_keys_accumulate(root: Path) -> None:
    llama = model_of("llama", root)
    spec: Any = parse_edit(f"{TEXT},epsilon=0.001")
    with contextlib.closing(successive(llama, spec, [REQUEST, OTHER])) as checkpoints:
        sizes = [len(model.change.book.labels) for model in checkpoints]  # type: ignore[attr-defined]
    assert sizes == [1, 2]
