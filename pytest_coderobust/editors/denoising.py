"""Self-Denoising: the model corrects the prompt before it answers.

Agrawal et al. 2025 (arXiv 2504.02733). The model continues a few examples of disturbed and clean
sentences, greedily; what it writes replaces the prompt's sentence.

For code, only prose is rewritten, line by line; code, names and examples stay byte for byte. A
rewrite that is empty, too long, or loses a protected word (a name, a number, a quoted value) is
refused, and the line stays. Base models get examples to continue instead of an instruction.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

from coderobust_strategies.prompt.anatomy import Anatomy, dissect
from pytest_coderobust.editors.options import DenoisingOptions
from pytest_coderobust.editors.protocol import EditRequest, Facts, ModelChange
from pytest_coderobust.records import Cell, Row, Sampling, Variant

if TYPE_CHECKING:
    import torch

    from pytest_coderobust.editors.access import Access

EXAMPLES = (
    (
        "Retrun the sum of all nubmers in the the list.",
        "Return the sum of all numbers in the list.",
    ),
    ("Chekc whether a  string is emtpy.", "Check whether a string is empty."),
    ("COunt the vowels whcih apear in a word.", "Count the vowels which appear in a word."),
)
"""Disturbed and clean sentences, shown before the one to correct."""

_QUOTES = "\"'`"
_GROWTH = 2
"""Longest rewrite, in lengths of the line."""


@dataclass(frozen=True, slots=True)
class PromptChange:
    """Change by which the model corrects its prompts itself; its weights stay as they are."""

    facts: Facts = field(default_factory=dict[str, object])
    kind: Literal["prompts"] = "prompts"

    @contextmanager
    def installed(self, access: Access) -> Generator[Facts]:  # noqa: ARG002
        yield {}

    def rewrite(self, variants: Sequence[Variant], access: Access) -> list[str]:
        """Rewrites each prompt until nothing changes or the rounds are used up."""
        prompts = [variant.prompt for variant in variants]
        for _ in range(cast("int", self.facts["rounds"])):
            before = list(prompts)
            prompts = self._round(prompts, variants, access)
            if prompts == before:
                break
        return prompts

    def _round(
        self, prompts: Sequence[str], variants: Sequence[Variant], access: Access
    ) -> list[str]:
        """Rewrites every prompt once; equal lines are asked once."""
        anatomies = [
            dissect(prompt, variant.task.entry_point)
            for prompt, variant in zip(prompts, variants, strict=True)
        ]
        lines = sorted({line for each in anatomies for _, line in prose_lines(each)})
        rewrites = dict(zip(lines, self._ask(lines, variants[0], access), strict=True))
        return [replace_prose(anatomy, rewrites) for anatomy in anatomies]

    def _ask(self, lines: Sequence[str], like: Variant, access: Access) -> list[str]:
        """Asks the model for a clean form of each line."""
        sampling = Sampling(max_new_tokens=cast("int", self.facts["tokens"]), stop=("\n",))
        asked = [Variant(like.task, Cell(), make_question(line)) for line in lines]
        able = [not access.backend.unavailable(variant, sampling) for variant in asked]
        rows = [Row(variant, 0, 0) for variant, can in zip(asked, able, strict=True) if can]
        answers = iter(access.backend.answer(rows, sampling, access.loaded) if rows else ())
        return [next(answers).text if can else "" for can in able]

    def tensors(self) -> Mapping[str, torch.Tensor]:
        return {}


def prompt_change(_tensors: Mapping[str, torch.Tensor], facts: Facts) -> PromptChange:
    """Makes the change again from its facts."""
    return PromptChange(facts)


class SelfDenoising:
    """Editor that learns nothing from requests, since it rewrites every prompt in the same way."""

    def __init__(self, options: DenoisingOptions) -> None:
        self.options = options

    def compute(
        self,
        access: Access,  # noqa: ARG002
        requests: Sequence[EditRequest],  # noqa: ARG002
        so_far: ModelChange | None = None,  # noqa: ARG002
    ) -> PromptChange:
        return PromptChange({"rounds": self.options.rounds, "tokens": self.options.tokens})


def make_question(line: str) -> str:
    """Makes the text that the model continues."""
    shown = "".join(f"# Disturbed: {bad}\n# Clean: {good}\n\n" for bad, good in EXAMPLES)
    return f"{shown}# Disturbed: {line.strip()}\n# Clean:"


def prose_lines(anatomy: Anatomy) -> list[tuple[int, str]]:
    """Lists the lines of prose as (start, text)."""
    return [
        (segment.start, anatomy.text(segment))
        for segment in anatomy.segments
        if segment.kind == "prose" and anatomy.text(segment).strip()
    ]


def replace_prose(anatomy: Anatomy, rewrites: Mapping[str, str]) -> str:
    """Replaces the prose of a prompt where the rewrite is acceptable."""
    pieces: list[str] = []
    for segment in anatomy.segments:
        text = anatomy.text(segment)
        if segment.kind == "prose" and text in rewrites:
            inside = [
                anatomy.prompt[span[0] : span[1]]
                for span in anatomy.protected
                if segment.start <= span[0] and span[1] <= segment.stop
            ]
            text = accept_rewrite(text, rewrites[text], inside)
        pieces.append(text)
    return "".join(pieces)


def accept_rewrite(line: str, answer: str, protected: Sequence[str]) -> str:
    """Puts the answer into the line's margins; returns the line where it is refused."""
    lines = answer.strip().splitlines()
    text = lines[-1].strip().strip(_QUOTES).strip() if lines else ""
    fits = bool(text) and len(text) <= _GROWTH * len(line.strip()) + 16
    # A quote or a backslash could end the docstring that the line is in.
    if not fits or any(mark in text for mark in ('"""', "'''", "\\", ">>>")):
        return line
    if any(text.count(word) < line.count(word) for word in set(protected)):
        return line
    start = line[: len(line) - len(line.lstrip())]
    end = line[len(line.rstrip()) :]
    return f"{start}{text}{end}"
