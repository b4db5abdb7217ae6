"""TextAttack's search methods against a code model, over our edit space.

    from pytest_coderobust.attack import attack_prompt

    found = attack_prompt(task.prompt, score, "C1", "W2", search="greedy-wir", budget=200)
    found.prompt, found.edits, found.queries

`score` takes prompts and gives for each the share of tests that the model's answer passes.
"""

from __future__ import annotations

from pytest_coderobust.attack.attacking import SEARCHES, Attacked, attack_prompt
from pytest_coderobust.attack.scoring import Score, score_of

__all__ = ["SEARCHES", "Attacked", "Score", "attack_prompt", "score_of"]
