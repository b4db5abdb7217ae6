"""The frozen values that describe an edit of a model by counts; no rate is computed here.

They travel between processes as JSON, through the ledger.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pytest_coderobust.records.codec import LATER, decode, encode

RunRegime = Literal["instant", "successive", "saved"]


@dataclass(frozen=True, slots=True)
class Passes:
    """Samples drawn for one prompt, and how many of them pass every test."""

    n: int
    c: int

    @property
    def rate(self) -> float:
        """pass@1."""
        return self.c / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True)
class ItemChange:
    """One prompt of the suite on the base model and on the edited one, under the suite's own
    sampling; `seed` is that of its cell.
    """

    task: str
    seed: int
    before: Passes
    after: Passes


@dataclass(frozen=True, slots=True)
class Trial:
    """A prompt that was broken when requests were chosen, scored on samples drawn since.

    Attributes:
        original: the base model on the task's clean prompt.
        before, after: base and edited model on the perturbed prompt.
        control: the base model once more, with the noise that `after` was drawn with; None under
            greedy decoding, where it would equal `before`.
        placebos: models whose weights a rotated edit changed, drawn like `after`.
    """

    task: str
    seed: int
    original: Passes
    before: Passes
    after: Passes
    control: Passes | None = None
    placebos: tuple[Passes, ...] = ()


@dataclass(frozen=True, slots=True)
class TracedRequest:
    """Request whose layers were looked through.

    Attributes:
        key: its key layer; None where no layer restores anything.
        restored: the share of the lost pass rate that each layer restores.
    """

    perturbation: str
    task: str
    key: int | None
    restored: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class EditFacts:
    """The facts of one edit, seen when it was applied.

    Attributes:
        layers: the decoder layers that were written.
        seconds: wall time of the edit, its localisation included.
        peak_mb: most memory of the process (of the accelerator, where there is one) during it.
        drift: Frobenius norm of the change over that of the weights before any edit; None where
            no weight is written.
        kind: what was changed: "weights", "codebook", "adapter" or "prompts"; "none" where the
            editor refused every request.
        notes: sentences of the editor about the edit, which a report must show.
        nll: mean NLL of stated targets before and after; empty where it was not measured.
        met: whether every token of every target is the likeliest; None where it is not known.
        refused: the reason of each request that the editor did not edit for.
        traced: the requests whose layers the editor looked through (CREME), refused ones too; under
            "successive" all so far.
    """

    kind: str = ""
    layers: tuple[int, ...] = ()
    seconds: float = 0.0
    peak_mb: float = 0.0
    drift: float | None = None
    notes: tuple[str, ...] = field(default=(), metadata=LATER)
    nll: tuple[float, ...] = field(default=(), metadata=LATER)
    met: bool | None = field(default=None, metadata=LATER)
    refused: tuple[str, ...] = field(default=(), metadata=LATER)
    traced: tuple[TracedRequest, ...] = field(default=(), metadata=LATER)


@dataclass(frozen=True, slots=True)
class EditRecord:
    """One edited model: of one request, or of the first `number` requests in succession.

    Attributes:
        perturbation: the one that the requests are of; "" for a saved edit.
        number: the request's place, from 1; under "successive" the requests so far.
        tasks: the tasks the model was edited on; their prompts are `own`, and in nothing else.
        own: the requests' prompts, scored.
        trials: the other broken prompts, scored.
        clean: every other task's clean prompt.
        perturbed: every other task's prompts under the perturbation.
    """

    perturbation: str
    number: int
    tasks: tuple[str, ...]
    facts: EditFacts
    own: tuple[Trial, ...] = ()
    trials: tuple[Trial, ...] = ()
    clean: tuple[ItemChange, ...] = ()
    perturbed: tuple[ItemChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Editing:
    """The edits of a run's model.

    Attributes:
        editors: the stack as the user wrote it, the first applied first.
        requests: asked for, for each perturbation.
        greedy: whether prompts were scored greedily: there is then no noise to control for.
        drawn: the sampling of the prompts, in words.
        records: in the order of the plan, then of the requests.
        unedited: the reason, for each perturbation without an edited model ("no eligible request").
        notes: sentences that a report must show.
        refused: for each perturbation, the reason of each request that was not edited for.
        traced: requests whose layers were looked through, those without a key layer too.
    """

    editors: tuple[str, ...]
    regime: RunRegime
    requests: int
    greedy: bool
    drawn: str
    records: tuple[EditRecord, ...] = ()
    unedited: Mapping[str, str] = field(default_factory=dict[str, str])
    notes: tuple[str, ...] = ()
    refused: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    traced: tuple[TracedRequest, ...] = ()


def dump(record: EditRecord) -> str:
    """Writes a record as JSON."""
    return json.dumps(encode(record), sort_keys=True)


def load(text: str) -> EditRecord:
    """Reads the record that `dump` wrote."""
    return decode(EditRecord, json.loads(text))
