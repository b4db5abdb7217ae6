"""Options of the editors that learn from cases how to edit; nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_coderobust.editors.corpus import STDLIB, corpus_digest
from pytest_coderobust.editors.options import at_least
from pytest_coderobust.errors import UsageError
from pytest_coderobust.models.fingerprint import file_digest
from pytest_coderobust.records import digest

Positives = Literal["auto", "rewrites", "perturbed", "both"]


def training_digest(train: str, kept: str) -> str:
    """Computes the digest of what a trained editor learns from.

    Args:
        train: "stdlib" or the name of a set of knowledge cases.
        kept: a file of something trained, which then takes the place of the cases; "" for none.

    Raises:
        UsageError, DataError: there is no such file or set.
    """
    from pytest_coderobust.knowledge.reading import read_case_set

    if kept:
        path = Path(kept).expanduser()
        if not path.is_file():
            raise UsageError(f"{kept}: no such file; `coderobust cache` lists what is kept")
        return digest("trained file", file_digest(path))
    return corpus_digest(STDLIB) if train == STDLIB else read_case_set(train).digest


@dataclass(frozen=True, slots=True)
class AGraceOptions:
    """A-GRACE (arXiv 2411.06638); the published form is loss=contrastive,epsilon=1.

    Attributes:
        layer: None is 27 of 32.
        epsilon: a fixed radius of keys; None calibrates when a prompt counts as the edited one.
        specificity: wanted share of held-out cases none of whose neighbours counts.
        least: share of held-out rewrites that must count at that specificity, or edits are refused.
        test: a prompt counts by its distance to the key ("radius"), or by that over its distance
            to the nearest of many ordinary prompts ("ratio").
        loss, margin: of the encoder; the margin is that of the contrastive loss.
        positives: paraphrases that are taught to be near: rewrites, perturbed prompts or both;
            "auto" takes rewrites where cases have them.
        train: knowledge cases to learn from, as `coderobust edit-bench` reads them, or "stdlib":
            functions of the running Python's own library.
        cases: the most cases of the library.
        encoder: a file with a trained encoder, which then is not trained.
        init, replace, gain, lr, steps: of the values, as in GRACE.
    """

    layer: int | None = at_least(None, 0)
    lr: float = at_least(1.0, 0)
    steps: int = at_least(30, 1)
    epsilon: float | None = at_least(None, 0)
    specificity: float = at_least(0.9, 0, 1)
    least: float = at_least(0.05, 0, 1)
    test: Literal["ratio", "radius"] = "ratio"
    loss: Literal["infonce", "contrastive"] = "infonce"
    margin: float = at_least(1.3, 0)
    positives: Positives = "auto"
    train: str = STDLIB
    cases: int = at_least(600, 24)
    encoder: str = ""
    init: Literal["cold", "warm"] = "cold"
    replace: Literal["last", "prompt", "all"] = "last"
    gain: float = at_least(0.05, 0, 1)
    seed: int = at_least(0, 0)

    @property
    def kept(self) -> tuple[str, str]:
        """The option that names a trained file, and the file; "" for none."""
        return "encoder", self.encoder

    @property
    def outside(self) -> str:
        """Digest of what the edit depends on beside options and requests.

        Raises:
            UsageError, DataError: as `training_digest`.
        """
        return training_digest(self.train, self.encoder)


@dataclass(frozen=True, slots=True)
class MalmenOptions:
    """MALMEN (arXiv 2311.04661); slow: its hyper-network is trained first, once for a model.

    Attributes:
        layers: "4-8" or "4+6+8"; "" is the last five.
        rank, blocks: of the hyper-network; None is a 16th of inputs and outputs, 1920 at most.
        eta: the first rate; None searches the largest that moves neighbours by less than `kl`.
        steps, edits, lr: steps of the training, cases edited at once, and Adam's rate. The paper
            has 1000 steps at 1e-6 to 1e-5, which move a rate by a hundredth.
        locality: weight of the KL on neighbours.
        around: neighbours of a case that count.
        positives, train: as in A-GRACE; the first one is the rewrite.
        cases: the most cases.
        network: a file with a trained hyper-network, which then is not trained; its layers, rank,
            blocks and eta need not be given, and others than its own are refused.
    """

    layers: str = ""
    rank: int | None = at_least(None, 1)
    blocks: int = at_least(2, 1, 8)
    eta: float | None = at_least(None, 0)
    kl: float = at_least(0.5, 0)
    steps: int = at_least(100, 1)
    edits: int = at_least(4, 1)
    lr: float = at_least(1e-3, 0)
    locality: float = at_least(1.0, 0)
    around: int = at_least(5, 1)
    positives: Positives = "auto"
    train: str = STDLIB
    cases: int = at_least(600, 8)
    network: str = ""
    seed: int = at_least(0, 0)

    @property
    def kept(self) -> tuple[str, str]:
        """The option that names a trained file, and the file; "" for none."""
        return "network", self.network

    @property
    def decisive(self) -> tuple[object, ...]:
        """All that the hyper-network follows from, beside model, layers and cases."""
        sizes = (self.rank, self.blocks, self.eta, self.kl, self.steps, self.edits, self.lr)
        return (*sizes, self.locality, self.around, self.positives, self.cases, self.seed)

    @property
    def outside(self) -> str:
        """Digest of what the edit depends on beside options and requests.

        Raises:
            UsageError, DataError: as `training_digest`.
        """
        return training_digest(self.train, self.network)
