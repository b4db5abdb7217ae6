"""Attacks on one prompt: TextAttack searches, our edits are the moves, the tests decide.

Source: Morris et al. 2020, "TextAttack". The edit space is a Transformation, failing tests are a
GoalFunction. Protected text is never offered, and a prompt that TextAttack would put together
other than by the edit itself is left out, so whatever breaks a model passes the auditor.

Not covered: edits that reach over the border of a word (joined words, swapped words); TextAttack
moves word by word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any

from coderobust_strategies.edit import Edit
from coderobust_strategies.rewrite import diff
from pytest_coderobust.attack.scoring import Score
from pytest_coderobust.errors import UnknownName
from pytest_coderobust.rewriters.textattack import load_textattack, seeded_generators, silent

SEARCHES: Mapping[str, tuple[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "greedy": ("GreedySearch", {}),
        "greedy-wir": ("GreedyWordSwapWIR", {"wir_method": "delete"}),
        "beam": ("BeamSearch", {"beam_width": 4}),
        "genetic": ("AlzantotGeneticAlgorithm", {"pop_size": 12, "max_iters": 8}),
        "pso": ("ParticleSwarmOptimization", {"pop_size": 12, "max_iters": 8}),
    }
)
"""TextAttack's search methods by short names, with their settings."""


@dataclass(frozen=True, slots=True)
class Attacked:
    """Result of an attack.

    Attributes:
        status: "broken", "survived" (the search or the budget ended), or "unsolved" (the clean
            prompt fails already).
        prompt: the prompt with the lowest score; the clean one unless broken or survived.
        edits: from the clean prompt to `prompt`.
        score: the share of tests passed under `prompt`.
        queries: prompts that the model was asked, the clean one included.
    """

    status: str
    prompt: str
    edits: tuple[Edit, ...]
    score: float
    queries: int


def attack_prompt(
    prompt: str,
    score: Score,
    *perturbations: str,
    entry_point: str = "",
    code: str = "",
    search: str | Any = "greedy-wir",
    budget: int = 200,
    seed: int = 0,
) -> Attacked:
    """Searches for a prompt that breaks the model.

    Args:
        score: how well the model does on prompts, see `pytest_coderobust.attack.score_of`.
        perturbations: their edits are the moves; an aggregate means its members.
        entry_point: as in `coderobust_strategies.perturb`.
        code: as in `coderobust_strategies.perturb`.
        search: one of `SEARCHES`, or a search method of TextAttack's.
        budget: most prompts that the model is asked.

    Raises:
        MissingExtra, UsageError: TextAttack is not there or cannot be imported.
        UnknownName: no such search.
        UnknownPerturbation: no such perturbation.
    """
    load_textattack("attack_prompt()")
    asked = _Counting(score)
    with silent(), seeded_generators(seed):
        space: Any = import_module("pytest_coderobust.attack.space")
        attack = import_module("textattack").Attack(
            space.SolvedGoal(space.PromptModel(asked), query_budget=budget),
            [],
            space.EditSpace(perturbations, entry_point, code),
            _search(search),
        )
        result = attack.attack(prompt, 1)
    found = result.perturbed_result
    made = str(found.attacked_text.text)
    status = {"SuccessfulAttackResult": "broken", "FailedAttackResult": "survived"}.get(
        type(result).__name__, "unsolved"
    )
    if status == "unsolved":
        made = prompt
    return Attacked(status, made, diff(prompt, made), 1 - float(found.score), asked.count)


class _Counting:
    """Score that counts the prompts it is asked for."""

    def __init__(self, score: Score) -> None:
        self._score = score
        self.count = 0

    def __call__(self, prompts: Sequence[str]) -> list[float]:
        self.count += len(prompts)
        return [float(each) for each in self._score(prompts)]


def _search(search: str | Any) -> Any:
    if not isinstance(search, str):
        return search
    if search not in SEARCHES:
        raise UnknownName("search", search, SEARCHES)
    name, settings = SEARCHES[search]
    make: Callable[..., Any] = getattr(import_module("textattack.search_methods"), name)
    return make(**settings)
