"""Options of the editors that write several layers; nothing here imports torch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pytest_coderobust.editors.corpus import corpus_digest
from pytest_coderobust.editors.options import at_least
from pytest_coderobust.errors import UsageError


@dataclass(frozen=True, slots=True)
class MemitOptions:
    """MEMIT (arXiv 2210.07229) with the values of CLMEEval, but for `layers`, `lam` and `reading`.

    Attributes:
        layers: "4-8" or "4+6+8"; "" is 4/32 to 8/32 of the depth.
        clamp: bound of a value's change, in norms of the value.
        kl, decay: weights of the KL to the unedited model and of the change's norm.
        stop: the loss below which no further step is made.
        prefixes: number of short texts, written by the model, that the prompt is put behind.
        prefix_tokens: their length.
        lam: weight of the covariance; None is 1.36 times the width of a key, 15000 at 7B.
        rounds: the most times that the residual is spread; ends earlier below 5 % of the z-error.
        history: adds the keys of earlier edits to the covariance, so that they are kept.
        reading: a key is the plain mean over the contexts, or, as in the reference, half the bare
            prompt's and half the mean of those behind a prefix.
        corpus: "stdlib" (the running Python's own library), a folder, or "identity" for C = I.
        tokens: tokens of the corpus that are read; None is 20 times the width of a key.
        seed: draws the order of the corpus's files.
    """

    layers: str = ""
    lr: float = at_least(0.5, 0)
    steps: int = at_least(25, 1)
    clamp: float = at_least(4.0, 0)
    kl: float = at_least(0.0625, 0)
    decay: float = at_least(1e-3, 0)
    stop: float = at_least(0.05, 0)
    prefixes: int = at_least(5, 0, 5)
    prefix_tokens: int = at_least(10, 1)
    lam: float | None = at_least(None, 1e-12)
    rounds: int = at_least(1, 1, 100)
    history: bool = False
    reading: Literal["mean", "reference"] = "mean"
    corpus: str = "stdlib"
    tokens: int | None = at_least(None, 1)
    seed: int = at_least(0, 0)

    @property
    def outside(self) -> str:
        """Digest of what the edit depends on beside options and requests: the corpus.

        Raises:
            UsageError: there is no such corpus.
        """
        return corpus_digest(self.corpus)


@dataclass(frozen=True, slots=True)
class PmetOptions(MemitOptions):
    """PMET (arXiv 2308.08742): as `MemitOptions`, with the 30 steps of CLMEEval."""

    steps: int = at_least(30, 1)


def parse_layers(text: str, count: int | None, name: str) -> tuple[int, ...]:
    """Reads the layers that an option asks for, ascending; "" is the paper's relative depth.

    Args:
        count: layers of the model; None where it is not known, and only the form is checked.
        name: the model's name, for messages.

    Raises:
        UsageError: the text has another form, or there is no such layer.
    """
    if not text:
        depth = count or 1
        return tuple(range(4 * depth // 32, min(8 * depth // 32, depth - 1) + 1))
    chosen: set[int] = set()
    for part in text.split("+"):
        found = re.fullmatch(r"(\d{1,6})(?:-(\d{1,6}))?", part.strip())
        first = int(found[1]) if found else 0
        last = int(found[2] or found[1]) if found else 0
        if not found or first > last:
            raise UsageError(f"layers={text} is not a list of layers; write 4-8 or 4+6+8")
        if count is not None and last >= count:
            raise UsageError(
                f"layers={text}: layer {last} is out of range: model {name!r} has layers 0 to "
                f"{count - 1}"
            )
        chosen.update(range(first, last + 1))
    return tuple(sorted(chosen))
