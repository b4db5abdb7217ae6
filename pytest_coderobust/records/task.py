"""A programming task: its prompt, and the trusted source that judges the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

TestStyle = Literal["check", "asserts", "stdio", "compiled"]
Language = Literal["python", "cpp", "java"]
PromptForm = Literal["docstring", "plain", "partial"]
ChangeKind = Literal["", "keyword-only", "swapped", "watched"]


@dataclass(frozen=True, slots=True)
class Tests:
    """The trusted source that judges a solution.

    Attributes:
        source: module source, kept as the data set has it.
        style: "check" when `source` defines `check(candidate)` (HumanEval); "asserts" when its
            top level calls the entry point by name (MBPP); "stdio" when it is no program but
            JSON, {"inputs": [text, ...], "outputs": [text, ...]}: what a whole program reads
            and what it has to print (APPS); "compiled" when it is source of the task's language
            with a `main` of its own (HumanEval-X).
        helpers: trusted module source run before `source`, for the names that tests use
            besides the entry point (HumanEval's prompt defines `poly`, `encode_cyclic`, ...).
    """

    __test__: ClassVar[bool] = False  # pytest would take the name for a class of tests
    source: str
    style: TestStyle
    helpers: str = ""


@dataclass(frozen=True, slots=True)
class ApiChange:
    """A function that, for solutions, has another name now or is gone.

    Attributes:
        old: its full name, e.g. "os.path.join", or a builtin's: no solution finds it any more.
        new: what to use in its place, made an alias of `old` where it does not exist already;
            "" when `old` was removed and has no successor.
        kind: "keyword-only" when `new` takes its arguments by name alone, "swapped" when its
            first two arguments come the other way round; "watched" changes nothing: `old` stays,
            and its uses are counted as those of a new name.
        parameters: for an adapter, the names of the arguments that `old` takes by position.
    """

    old: str
    new: str = ""
    kind: ChangeKind = ""
    parameters: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        if self.kind == "watched":
            return f"{self.old} watched"
        shown = f" ({self.kind})" if self.kind else ""
        return f"{self.old} -> {self.new or 'removed'}{shown}"

    @property
    def parts(self) -> tuple[str, ...]:
        """Its values as plain text, the old and the new name alone where it says no more."""
        more = (self.kind, *self.parameters) if self.kind else ()
        return (self.old, self.new, *more)


@dataclass(frozen=True, slots=True)
class Task:
    """One programming task: what the model sees, and how its answer is judged.

    Attributes:
        id: unique in its suite, e.g. "HumanEval/0".
        prompt: the clean prompt; a completion continues it.
        entry_point: the name that the tests call.
        tests: the trusted judge.
        canonical: a continuation of `prompt` that solves the task, or None where the data
            set has none (the task is then "unchecked").
        preamble: the text before a solution that repeats the whole function: the imports
            and helper definitions of the prompt.
        api_changes: enforced on every judged solution.
    """

    id: str
    prompt: str
    entry_point: str
    tests: Tests
    canonical: str | None = None
    preamble: str = ""
    language: Language = "python"
    tags: tuple[str, ...] = ()
    api_changes: tuple[ApiChange, ...] = ()
