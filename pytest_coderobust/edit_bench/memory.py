"""Memory of a benchmark: the scores of each case, in the ledger; nothing here imports torch.

A case is kept under model, editor and settings as soon as it is measured, so a run that was killed
goes on where it was, and a larger `--limit` measures only what is new.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_coderobust.editors.registry import EditorSpec
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.backend import Backend
from pytest_coderobust.records import Completion, digest
from pytest_coderobust.records.codec import decode, encode
from pytest_coderobust.records.edit_scores import CaseScores
from pytest_coderobust.records.knowledge import KnowledgeCase

VERSION = 3
"""Raised when the same case, model and editor may get other scores."""

_LEFT_OUT = "left_out"
_TRAINING = "training"


@dataclass(frozen=True, slots=True)
class AskSettings:
    """Settings of the asking.

    Attributes:
        seed: of the sampled texts.
        natural: also asks without telling the model how long the target is.
    """

    seed: int = 0
    natural: bool = False


@dataclass(frozen=True, slots=True)
class BenchOutcomes:
    """Outcomes of an editor's cases, by the digest of the case.

    Attributes:
        scores: of those that were measured.
        left_out: why the model cannot be asked the others.
    """

    scores: Mapping[str, CaseScores]
    left_out: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BenchMemory:
    """Part of a ledger that holds the benchmark of one model under some settings.

    An editor is its spec; None is the model without an edit.
    """

    backend: Backend
    ledger: Ledger
    settings: AskSettings

    def read(self, spec: EditorSpec | None) -> BenchOutcomes:
        """Reads all that was measured of an editor."""
        scores: dict[str, CaseScores] = {}
        left_out: dict[str, str] = {}
        for name, text in self.ledger.edits(self._run(spec)).items():
            body = json.loads(text)
            if _LEFT_OUT in body:
                left_out[name] = str(body[_LEFT_OUT])
            elif name != _TRAINING:
                scores[name] = decode(CaseScores, body)
        return BenchOutcomes(scores, left_out)

    def keep(self, spec: EditorSpec | None, case: KnowledgeCase, scores: CaseScores) -> None:
        """Keeps the scores of a case."""
        self.ledger.keep_edit(self._run(spec), case.digest, json.dumps(encode(scores)))

    def leave_out(self, case: KnowledgeCase, reason: str) -> None:
        """Keeps why the model cannot be asked a case."""
        self.ledger.keep_edit(self._run(None), case.digest, json.dumps({_LEFT_OUT: reason}))

    def read_training(self, spec: EditorSpec) -> Mapping[str, object]:
        """Reads what an editor told about its training; empty where it told nothing."""
        found = self.ledger.edits(self._run(spec)).get(_TRAINING, "{}")
        facts: dict[str, object] = json.loads(found)
        return facts

    def keep_training(self, spec: EditorSpec, facts: Mapping[str, object]) -> None:
        """Keeps what an editor told about its training."""
        self.ledger.keep_edit(self._run(spec), _TRAINING, json.dumps(dict(facts)))

    def read_own_answers(self, prompts: Sequence[str]) -> dict[str, str]:
        """Reads the unedited model's answers to neighbours, by prompt; a missing one has none."""
        keys = {self._own_key(prompt): prompt for prompt in prompts}
        found = self.ledger.completions(keys)
        return {keys[key]: each.text for key, each in found.items()}

    def keep_own_answers(self, answers: Mapping[str, str]) -> None:
        """Keeps the unedited model's answers to neighbours; those that are there stay."""
        self.ledger.add_completions(
            {self._own_key(prompt): Completion(text, "length") for prompt, text in answers.items()}
        )

    def _own_key(self, prompt: str) -> str:
        return digest("own answer", VERSION, self.backend.identity.digest, prompt)

    def _run(self, spec: EditorSpec | None) -> str:
        editor = "no edit" if spec is None else spec.digest
        settings = (self.settings.seed, self.settings.natural)
        return digest("edit bench", VERSION, self.backend.identity.digest, editor, *settings)
