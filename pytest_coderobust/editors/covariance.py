"""Covariance of a layer's keys over a corpus: what an update leaves alone as far as it can.

    C = mean over real tokens of a a'   (uncentred, float64; no prefix, no padding)

It is kept as one Cholesky factor of C + eps I with eps = 1e-9 tr(C) / d: a float32 solve is a third
off at a condition of 1e8, and a larger eps moves the update. A unit that is silent on the whole
corpus would take half of the update, so keys are 0 there.

Not covered: corpora of natural text from the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import torch

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.corpus import read_texts
from pytest_coderobust.editors.hooks import captured_states
from pytest_coderobust.errors import ModelError

_PIECE = 512
_ROWS = 8
LEAST = 2
"""Tokens for each unit below which a covariance is refused."""

_EPSILON = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Covariance:
    """Covariance of keys, (d, d), as its factor.

    Attributes:
        factor: lower Cholesky factor in float64; None is the identity.
        alive: (d,), whether a unit ever spoke on the corpus.
        tokens: the tokens it was measured on; 0 for the identity.
    """

    factor: torch.Tensor | None
    alive: torch.Tensor
    tokens: int

    def solve(self, keys: torch.Tensor) -> torch.Tensor:
        """Computes C^-1 K for keys in columns, (d, n) in float64."""
        return keys if self.factor is None else torch.cholesky_solve(keys, self.factor)


def identity_covariance(width: int) -> Covariance:
    """Makes the covariance C = I."""
    return Covariance(None, torch.ones(width, dtype=torch.bool), 0)


def factorise(total: torch.Tensor, tokens: int, where: str) -> Covariance:
    """Factorises the sum of a a' over tokens, (d, d) in float64.

    Raises:
        ModelError: it has no factor, or there are too few tokens for it to have one.
    """
    width = len(total)
    if tokens < LEAST * width:
        raise ModelError(
            f"{where}: the corpus gives {tokens} tokens, too few for a covariance of {width} "
            f"units; it takes at least {LEAST * width}, so give a larger corpus=FOLDER or tokens=N"
        )
    mean = total / tokens
    diagonal = mean.diagonal()
    ridge = _EPSILON * float(diagonal.sum()) / width
    ridged = mean + ridge * torch.eye(width, dtype=mean.dtype)
    factor, failed = torch.linalg.cholesky_ex(ridged)
    if int(failed) or not bool(torch.isfinite(factor).all()):
        raise ModelError(
            f"{where}: the covariance of {tokens} tokens has no factor, because it is singular or "
            "not finite; give more tokens=N, a more varied corpus=FOLDER or another layer"
        )
    return Covariance(factor, diagonal > 0, tokens)


def measure_covariances(
    access: Access, layers: Sequence[int], corpus: str, tokens: int, seed: int
) -> Iterator[tuple[int, Covariance]]:
    """Measures the covariances of several layers' keys in one pass; yields (layer, covariance).

    The texts are cut into pieces of 512 tokens, fewer where the model's window is shorter.

    Raises:
        UsageError: there is no such corpus.
        ModelError: it is too small, or its covariance singular.
    """
    modules = [access.projection(layer).module for layer in layers]
    totals: list[torch.Tensor | None] = [None] * len(layers)
    read = 0
    for rows in _batches(access, corpus, tokens, seed):
        batch = access.batch(rows)
        with torch.no_grad(), ExitStack() as hooks:
            states = [hooks.enter_context(captured_states(each, "input")) for each in modules]
            access.run_until(max(layers), batch)
        real = batch.mask.bool()
        for place, (seen,) in enumerate(states):
            keys = _precise(seen[real])
            before, product = totals[place], keys.T @ keys
            totals[place] = product if before is None else before.add_(product)
        read += sum(map(len, rows))
    for layer, total in zip(layers, totals, strict=True):
        where = f"corpus={corpus}: layer {layer} of model {access.name!r}"
        if total is None:
            raise ModelError(f"{where}: the corpus has no text to read; give another corpus=FOLDER")
        yield layer, factorise(total.cpu(), read, where)


def _precise(states: torch.Tensor) -> torch.Tensor:
    """Converts states to float64, on the processor where the accelerator has none."""
    return (states if states.device.type == "cuda" else states.cpu()).double()


def _batches(access: Access, corpus: str, tokens: int, seed: int) -> Iterator[list[list[int]]]:
    """Yields rows of ids, `tokens` altogether if the corpus has as many."""
    width = min(_PIECE, access.loaded.window or _PIECE)
    rows: list[list[int]] = []
    left = tokens
    for text in read_texts(corpus, seed):
        ids: list[int] = access.loaded.tokenizer(text, add_special_tokens=False)["input_ids"]
        for start in range(0, len(ids), width):
            piece = ids[start : start + width][:left]
            left -= len(piece)
            rows.append(piece)
            if len(rows) == _ROWS or not left:
                yield rows
                rows = []
            if not left:
                return
    if rows:
        yield rows
