"""ReCode's perturbations of code: function names, format and syntax. Their names start `recode:`.

Source: Wang et al. 2023, "ReCode: Robustness Evaluation of Code Generation Models". They change
code by design, so they change a task's solution and tests too. A rename reaches the signature,
examples, recursion, canonical solution and tests. A format change leaves the syntax tree equal. A
syntax change leaves the meaning equal; it needs code in the prompt (see `halved`).

Not covered: VarRenamerCB, which asks CodeBERT for a name. Departures: a rename is applied wherever
the task uses the name and nowhere else. ReCode replaces strings: renaming `f` gives "deF F(n)",
and 27 of its recursive canonical solutions call the old name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from random import Random
from types import MappingProxyType
from typing import Literal

from coderobust_strategies.edit import Edit, apply_edits
from coderobust_strategies.perturbation import NO_SITE, UnknownPerturbation
from coderobust_strategies.prompt.source import parse
from coderobust_strategies.site import noise

CodeLevel = Literal["function", "format", "syntax"]


@dataclass(frozen=True, slots=True)
class TaskCode:
    """The code of a task. A model continues `prompt`; `solution` is the canonical continuation."""

    prompt: str
    solution: str
    tests: str
    entry_point: str


@dataclass(frozen=True, slots=True)
class Recoded:
    """A task after a change to its code.

    Attributes:
        skipped: the reason why `task` is unchanged, or "".
    """

    task: TaskCode
    skipped: str = ""


CodeChange = Callable[[TaskCode, Random], TaskCode | None]


def recode(task: TaskCode, name: str, seed: int, *, task_id: str = "") -> Recoded:
    """Applies one of ReCode's perturbations of code to a task.

    The result follows from (task_id, name, seed) alone. A task that is not valid Python, or that
    has no place for the change, is returned unchanged with the reason in `skipped`.

    Raises:
        UnknownPerturbation: no perturbation has that name.
    """
    if name not in CHANGES:
        raise UnknownPerturbation(name, CHANGES)
    if parse(task.prompt + task.solution) is None:
        return Recoded(task, "prompt and canonical solution are not Python together")
    module, _, function = CHANGES[name].partition(":")
    family = import_module(f"coderobust_strategies.perturbations.{module}")
    change: CodeChange = getattr(family, function)
    changed = change(task, noise(task_id, name, seed))
    if changed is None or changed == task:
        return Recoded(task, NO_SITE)
    return Recoded(changed)


def code_names() -> tuple[str, ...]:
    """Lists every valid name."""
    return tuple(CHANGES)


def code_level(name: str) -> CodeLevel:
    """Names the family of a change: "function" (the entry point's name), "format" or "syntax".

    Raises:
        UnknownPerturbation: no perturbation has that name.
    """
    if name not in CHANGES:
        raise UnknownPerturbation(name, CHANGES)
    if name.startswith("recode:FuncRename"):
        return "function"
    return "format" if CHANGES[name].startswith("formatting:") else "syntax"


def needs_partial_code(name: str) -> bool:
    """Says whether a change acts on code inside the prompt, where `halved` puts some."""
    return code_level(name) == "syntax"


def halved(task: TaskCode) -> TaskCode:
    """Moves the first half of the solution's lines to the prompt: ReCode's partial code."""
    lines = task.solution.splitlines(keepends=True)
    half = "".join(lines[: len(lines) // 2])
    return replace(task, prompt=task.prompt + half, solution=task.solution.removeprefix(half))


def edit_code(task: TaskCode, edits: list[Edit], tests: str = "") -> TaskCode:
    """Applies edits whose offsets are those of prompt and solution joined to one text."""
    cut = len(task.prompt)
    inside = [edit for edit in edits if edit.start < cut]
    after = [
        Edit(edit.start - cut, edit.stop - cut, edit.replacement, edit.kind)
        for edit in edits
        if edit.start >= cut
    ]
    return replace(
        task,
        prompt=apply_edits(task.prompt, inside),
        solution=apply_edits(task.solution, after),
        tests=tests or task.tests,
    )


CHANGES: Mapping[str, str] = MappingProxyType(
    {
        "recode:FuncRenameCamelCase": "renaming:camel_case",
        "recode:FuncRenameButterFinger": "renaming:butter_finger",
        "recode:FuncRenameSwapChar": "renaming:swap_char",
        "recode:FuncRenameChangeChar": "renaming:change_char",
        "recode:FuncRenameInflectionalVariation": "renaming:inflectional_variation",
        "recode:FuncRenameSynonymSub": "renaming:synonym",
        "recode:VarRenamerNaive": "renaming:naive_variable",
        "recode:VarRenamerRN": "renaming:random_variable",
        "recode:TabIndent": "formatting:tab_indent",
        "recode:SplitLines": "formatting:split_lines",
        "recode:Doc2Comments": "formatting:doc_to_comments",
        "recode:NewlineAfterDoc": "formatting:newline_after_doc",
        "recode:NewlineAfterCode": "formatting:newline_after_code",
        "recode:NewlineRandom": "formatting:newline_random",
        "recode:DeadCodeInserter": "syntax:dead_code",
        "recode:OperandSwap": "syntax:operand_swap",
        "recode:ForWhileTransformer": "syntax:for_to_while",
    }
)
