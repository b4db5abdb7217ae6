"""ReCode's perturbations of code: function names, format and syntax, under `recode:`.

Source: Wang et al. 2023, "ReCode: Robustness Evaluation of Code Generation Models". They change
code by design, so they take a task's solution and tests along: a rename reaches the signature,
examples, recursion, canonical solution and tests; a format change leaves the syntax tree equal; a
syntax change leaves the meaning equal. Syntax changes need code in the prompt (see `halved`).

Not covered: VarRenamerCB, which asks CodeBERT for a name. Departures: a rename is applied wherever
the task uses the name and nowhere else (ReCode replaces strings: renaming `f` gives "deF F(n)",
and 27 of its recursive canonical solutions call the old name).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from random import Random
from types import MappingProxyType
from typing import Literal

from coderobust_strategies.edit import Edit, apply_edits
from coderobust_strategies.perturbation import UnknownPerturbation
from coderobust_strategies.prompt.source import parse
from coderobust_strategies.site import noise

NO_SITE = "no eligible site"
CodeLevel = Literal["function", "format", "syntax"]


@dataclass(frozen=True, slots=True)
class TaskCode:
    """The code of a task: a model continues `prompt`; `solution` is its canonical continuation."""

    prompt: str
    solution: str
    tests: str
    entry_point: str


@dataclass(frozen=True, slots=True)
class Recoded:
    """A task after a change of its code, or the task itself and why it could not be changed."""

    task: TaskCode
    skipped: str = ""


CodeChange = Callable[[TaskCode, Random], TaskCode | None]


def recode(task: TaskCode, name: str, seed: int, *, task_id: str = "") -> Recoded:
    """A task under one of ReCode's perturbations of code.

    Deterministic for (task_id, name, seed). A task that is not Python or offers no place for the
    change comes back as it was, with the reason in `skipped`.

    Raises:
        UnknownPerturbation: no such perturbation.
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
    """Every valid name."""
    return tuple(CHANGES)


def code_level(name: str) -> CodeLevel:
    """The family of a change: "function" (the entry point's name), "format" or "syntax".

    Raises:
        UnknownPerturbation: no such perturbation.
    """
    if name not in CHANGES:
        raise UnknownPerturbation(name, CHANGES)
    if name.startswith("recode:FuncRename"):
        return "function"
    return "format" if CHANGES[name].startswith("formatting:") else "syntax"


def needs_partial_code(name: str) -> bool:
    """Whether a change acts on code inside the prompt: `halved` puts some there."""
    return code_level(name) == "syntax"


def halved(task: TaskCode) -> TaskCode:
    """The task with the first half of its solution's lines in the prompt: ReCode's partial code."""
    lines = task.solution.splitlines(keepends=True)
    half = "".join(lines[: len(lines) // 2])
    return replace(task, prompt=task.prompt + half, solution=task.solution.removeprefix(half))


def edited(task: TaskCode, edits: list[Edit], tests: str = "") -> TaskCode:
    """The task after edits of its prompt and solution seen as one text."""
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
