"""Perturbed prompts of training rows: drawn, audited, and clean again where the audit objects."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from textwrap import dedent

from coderobust_strategies import PerturbationError, perturb
from coderobust_strategies.catalogue import REWRITING, WITH_REWRITER
from coderobust_strategies.edit import Edit
from coderobust_strategies.prompt.anatomy import Anatomy, dissect
from coderobust_strategies.prompt.protection import protected_spans
from coderobust_strategies.rewrite import Rewriter, find_paragraphs, flatten
from coderobust_strategies.site import noise, pick
from coderobust_strategies.variant import Perturbed
from pytest_coderobust.engine.rewrites import RewriteSource
from pytest_coderobust.errors import DataError
from pytest_coderobust.rewriters.rewriter import Paragraph
from pytest_coderobust.training.example import Passage, TrainingExample
from pytest_coderobust.training.row_audit import audit_row
from pytest_coderobust.training.sets import MIXING

DAMAGED = "damaged"
_FENCED = re.compile(r"^[ \t]*(?:```|~~~)[^\n]*\n(.*?)(?:^[ \t]*(?:```|~~~)|\Z)", re.M | re.S)
_CALLED = re.compile(r"\b([A-Za-z_]\w*)\(")
_ROWS = 2_000
"""Rows whose sentences a rewriter gets at once."""


@dataclass(frozen=True, slots=True)
class PerturbedExample:
    """The prompt of a row under a perturbation.

    Attributes:
        texts: one for each passage; the clean ones where the row was skipped.
        edits: the edits of each passage, as offsets into its clean text.
        member: the member that an aggregate drew, or "".
        skipped: why the prompt stayed clean, or "".
    """

    texts: tuple[str, ...]
    edits: tuple[tuple[Edit, ...], ...]
    member: str = ""
    skipped: str = ""


@dataclass(slots=True)
class ExamplePerturber:
    """Makes perturbed prompts of training rows.

    Attributes:
        sources: the rewriters by the perturbation that they were given for.
    """

    sources: Mapping[str, RewriteSource] = field(default_factory=dict[str, RewriteSource])

    def find_source(self, perturbation: str) -> RewriteSource | None:
        """The rewriter that a perturbation uses, itself or through a member; None for none."""
        for part in perturbation.split(MIXING):
            for name in (part, *WITH_REWRITER.get(part, ())):
                if name in self.sources:
                    return self.sources[name]
        return None

    def can_make(self, perturbation: str) -> bool:
        """Whether a perturbation lacks no rewriter."""
        parts = perturbation.split(MIXING)
        return all(part not in REWRITING or part in self.sources for part in parts)

    def perturb_all(
        self, examples: Iterable[TrainingExample], perturbation: str, seed: int
    ) -> Iterable[PerturbedExample]:
        """Perturbs rows in their order; sentences are rewritten many at once.

        Raises:
            DataError: a prompt cannot be read.
            ModelError: a rewriter cannot be run.
        """
        source = self.find_source(perturbation)
        waiting = iter(examples)
        while batch := list(islice(waiting, _ROWS)):
            if source is not None:
                prepare(batch, source)
            for example in batch:
                yield self.perturb(example, perturbation, seed)

    def perturb(self, example: TrainingExample, perturbation: str, seed: int) -> PerturbedExample:
        """Perturbs one row; one that has no site or would be damaged is skipped.

        Raises:
            DataError: a prompt cannot be read.
        """
        if MIXING in perturbation:
            drawn_from = perturbation.split(MIXING)
            member = pick(drawn_from, noise(example.id, perturbation, seed))
            found = self.perturb(example, member, seed)
            return replace(found, member=found.member or member)
        source = self.find_source(perturbation)
        code = find_code(example.answer)
        drawn: list[Perturbed] = []
        for passage in example.passages:
            if not passage.prose:
                drawn.append(Perturbed(passage.text))
                continue
            anatomy = _dissect(passage, example, code)
            try:
                made = perturb(
                    passage.text,
                    perturbation,
                    seed,
                    task_id=example.id,
                    entry_point=example.entry_point,
                    code=code,
                    rewriter=_rewriter(source, anatomy, seed),
                )
            except PerturbationError as error:
                raise DataError(f"row {example.id}: {error}") from None
            drawn.append(made)
        return _join(example, drawn)


def prepare(examples: Iterable[TrainingExample], source: RewriteSource) -> None:
    """Rewrites all paragraphs of many rows at once, for rewriters that are faster so."""
    if source.sentences is None or not source.sentences.batched:
        return
    paragraphs: list[Paragraph] = []
    for example in examples:
        code = find_code(example.answer)
        for passage in example.passages:
            if passage.prose:
                paragraphs += _list_paragraphs(_dissect(passage, example, code))
    source.answers(paragraphs)


def find_code(answer: str) -> str:
    """Finds the code of an answer, whose identifiers the prompt must keep.

    That is the fenced code, or the whole answer where it is Python. Of any other text, which may
    be an explanation, only what it calls counts: its words are no identifiers.
    """
    if fenced := _FENCED.findall(answer):
        return "\n".join(fenced)
    for text in (answer, dedent(answer), f"def f():\n{answer}"):
        if _is_python(text):
            return answer
    return " ".join(dict.fromkeys(_CALLED.findall(answer)))


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return True


def _dissect(passage: Passage, example: TrainingExample, code: str) -> Anatomy:
    return dissect(passage.text, example.entry_point, code)


def _list_paragraphs(anatomy: Anatomy) -> list[Paragraph]:
    texts = [flatten(anatomy, start, stop) for start, stop in find_paragraphs(anatomy)]
    return [Paragraph(text, protected_spans(text, anatomy.names)) for text in texts]


def _rewriter(source: RewriteSource | None, anatomy: Anatomy, seed: int) -> Rewriter | None:
    if source is None or source.sentences is None:
        return None
    drawn = seed if source.sentences.seeded else 0

    def rewrite(text: str) -> str:
        return source.answers([Paragraph(text, protected_spans(text, anatomy.names), drawn)])[0]

    return rewrite


def _join(example: TrainingExample, drawn: Sequence[Perturbed]) -> PerturbedExample:
    """Joins the passages of a row; one damaged passage leaves the whole row clean."""
    texts = tuple(each.prompt for each in drawn)
    member = next((each.member for each in drawn if each.member), "")
    skipped = ""
    if texts == example.texts:
        skipped = next((each.skipped for each in drawn if each.skipped), "")
    elif damage := audit_row(example, texts):
        skipped = f"{DAMAGED}: {damage}"
    if skipped:
        return PerturbedExample(example.texts, tuple(() for _ in texts), member, skipped)
    return PerturbedExample(texts, tuple(each.edits for each in drawn), member)
