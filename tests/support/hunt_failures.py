"""A failure to test with."""

from __future__ import annotations

from coderobust_strategies import Edit, apply_edits
from pytest_coderobust.hunting.failure import Failure, HuntCost, ShownPrompt, Votes
from pytest_coderobust.records import Completion, Level, ModelIdentity, Sampling, Verdict

CLEAN = 'def double(value):\n    """Return twice the given number."""\n'
_R, _TW, _G = CLEAN.index("Return"), CLEAN.index("twice"), CLEAN.index("given")
EDITS = (Edit(_R, _R + 1, "r", "case"), Edit(_TW, _TW + 2, "wt", "swap"))


def failure(task: str = "Toy/0", edits: tuple[Edit, ...] = EDITS) -> Failure:
    """A broken prompt of two edits whose texts hold what JSON and terminals dislike."""
    good = Completion("    return 2 * value\n", "eos", 9)
    bad = Completion("    return '\ud800\x1b[31m[bold]'\n", "length", 12)
    return Failure(
        suite="toy.toml",
        task_id=task,
        entry_point="double",
        model=ModelIdentity("tiny", "f" * 64, {"model": "tiny", "dtype": "float32"}),
        sampling=Sampling(stop=("\ndef ",)),
        perturbation="mix_all",
        member="C3",
        seed=4,
        edits=edits,
        first_edits=(*edits, Edit(_G, _G + 1, "G", "case")),
        clean=ShownPrompt(CLEAN, (good,), (Verdict(Level.FULL, 3, 3),)),
        broken=ShownPrompt(
            apply_edits(CLEAN, edits),
            (bad,),
            (Verdict(Level.LOAD, 0, 3, "wrong-answer", "candidate(3) == 6"),),
        ),
        minimal=True,
        votes=Votes(1, 1),
        spent=HuntCost(17, 4),
        reproduce="pytest toy.toml --coderobust-hunt",
    )
