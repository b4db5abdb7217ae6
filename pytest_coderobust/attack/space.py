"""Our edits as a Transformation of TextAttack's (a word swap), solved tasks as its GoalFunction.

Imports TextAttack, so it is imported when an attack runs.
"""

# TextAttack publishes no types, and may not be installed where types are checked.
# pyright: basic, reportMissingImports=false
# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from textattack.goal_function_results import GoalFunctionResult
from textattack.goal_functions import GoalFunction
from textattack.models.wrappers import ModelWrapper
from textattack.shared import AttackedText
from textattack.transformations import WordSwap

from coderobust_strategies import candidate_sites
from coderobust_strategies.edit import Edit, apply_edits
from coderobust_strategies.prompt.anatomy import dissect
from coderobust_strategies.site import noise
from pytest_coderobust.attack.scoring import Score

CHOICES = 4
"""Edits of one kind that a word is offered with; a word has hundreds of typos."""


class EditSpace(WordSwap):
    """Edits of our perturbations inside one word, or right behind it.

    Args:
        perturbations: their edits are the moves; an aggregate means its members.
    """

    def __init__(self, perturbations: Sequence[str], entry_point: str, code: str) -> None:
        super().__init__()
        self._perturbations = tuple(perturbations)
        self._entry_point = entry_point
        self._code = code

    def _get_transformations(
        self, current_text: AttackedText, indices_to_modify: set[int]
    ) -> list[AttackedText]:
        made: list[AttackedText] = []
        text = current_text.text
        for index, edit, word in self._moves(text, tuple(current_text.words)):
            if index in indices_to_modify:
                changed = current_text.replace_word_at_index(index, word)
                if changed.text == apply_edits(text, [edit]):
                    made.append(changed)
        return made

    @lru_cache(maxsize=256)  # noqa: B019 - lives as long as one attack
    def _moves(self, text: str, words: tuple[str, ...]) -> tuple[tuple[int, Edit, str], ...]:
        anatomy = dissect(text, self._entry_point, self._code)
        edits = sorted(
            {edit for site in candidate_sites(anatomy, self._perturbations) for edit in site.edits}
        )
        moves = sorted(_inside(text, words, edits), key=lambda move: (move[0], move[1].kind))
        groups: dict[tuple[int, str], list[tuple[int, Edit, str]]] = {}
        for move in moves:
            groups.setdefault((move[0], move[1].kind), []).append(move)
        return tuple(
            move for key, group in groups.items() for move in _some(group, (*key, words[key[0]]))
        )


class PromptModel(ModelWrapper):
    """Score in the form of TextAttack's models."""

    def __init__(self, score: Score) -> None:
        self.model = score

    def __call__(self, text_input_list: Sequence[str]) -> list[float]:
        return list(self.model(list(text_input_list)))


class SolvedGoal(GoalFunction):
    """Goal that is reached when the model no longer solves the task; nearer the more tests fail."""

    def _is_goal_complete(self, model_output: float, _attacked_text: AttackedText) -> bool:
        return model_output < 1

    def _get_score(self, model_output: float, _attacked_text: AttackedText) -> float:
        return 1 - model_output

    def _goal_function_result_type(self) -> type[GoalFunctionResult]:
        return SolvedResult

    def _process_model_outputs(self, _inputs: Any, outputs: Sequence[float]) -> Sequence[float]:
        return outputs

    def extra_repr_keys(self) -> list[str]:
        return []


class SolvedResult(GoalFunctionResult):
    """Result of ours as TextAttack shows it."""

    @property
    def _processed_output(self) -> tuple[str, str]:
        return (f"{self.output:.0%} of the tests", "green" if self.output == 1 else "red")

    def get_text_color_input(self) -> str:
        return "red"

    def get_text_color_perturbed(self) -> str:
        return "blue"

    def get_colored_output(self, color_method: str | None = None) -> str:  # noqa: ARG002
        return self._processed_output[0]


def _inside(
    text: str, words: Sequence[str], edits: Sequence[Edit]
) -> Iterator[tuple[int, Edit, str]]:
    """Finds the edits within one word or right behind it, with the word that they make."""
    position = 0
    spans: list[tuple[int, int]] = []
    for word in words:
        start = text.index(word, position)
        position = start + len(word)
        spans.append((start, position))
    place = 0
    for edit in edits:
        while place < len(spans) and spans[place][1] < edit.stop:
            place += 1
        if place == len(spans):
            return
        start, stop = spans[place]
        if start <= edit.start and edit.stop <= stop:
            word = text[start : edit.start] + edit.replacement + text[edit.stop : stop]
            yield place, edit, word


def _some(group: list[tuple[int, Edit, str]], key: tuple[Any, ...]) -> list[tuple[int, Edit, str]]:
    """Chooses a few moves of a kind, the same ones whenever the word is met again."""
    generator = noise(*map(str, key))
    ranked = sorted((generator.random(), number) for number in range(len(group)))
    return [group[number] for _, number in sorted(ranked[:CHOICES], key=lambda each: each[1])]
