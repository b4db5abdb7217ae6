"""The frozen values that flow along the path: task, variant, completion, verdict, observation.

Nothing here computes a result, reads a file or knows pytest, torch or the sandbox.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar, Literal

from coderobust_strategies.edit import Edit
from pytest_coderobust.edit_records import Editing

CLEAN = "clean"
"""The name of the unperturbed condition wherever a perturbation's name may stand."""

TIERS = ("ns", "bwrap", "no-ns", "seccomp", "rlimits")
"""How well solutions are isolated, strongest first; docs/sandbox.md says what each tier holds."""

TestStyle = Literal["check", "asserts", "stdio", "compiled"]
Finish = Literal["eos", "stop", "length", "recorded"]
Language = Literal["python", "cpp", "java"]
PromptForm = Literal["docstring", "plain", "partial"]


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
    """

    old: str
    new: str = ""

    @property
    def label(self) -> str:
        return f"{self.old} -> {self.new or 'removed'}"


@dataclass(frozen=True, slots=True)
class ApiUse:
    """What one solution did about one declared change, as its own process counted.

    A hostile solution can make up these numbers, and gains nothing: it could as well call.

    Attributes:
        old: how often it reached for the old name, in vain.
        new: how often it called the new one.
    """

    old: int = 0
    new: int = 0


class Adoption(str, Enum):
    """What a solution made of the API changes that its task declares."""

    CORRECT = "correct"  # uses a new API, passes every test
    INCORRECT = "incorrect"  # uses a new API, and fails
    WORKAROUND = "workaround"  # passes without
    NONE = "none"  # neither


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
        preamble: what stands before a solution that repeats the whole function: the imports
            and helper definitions of the prompt.
        api_changes: enforced on whatever is judged.
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


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One column of the plan: a perturbation and a seed, or the clean condition."""

    perturbation: str = CLEAN
    seed: int = 0

    @property
    def label(self) -> str:
        """What stands in brackets in a test id: "clean" or "C1-s0"."""
        return CLEAN if self.is_clean else f"{self.perturbation}-s{self.seed}"

    @property
    def is_clean(self) -> bool:
        return self.perturbation == CLEAN


@dataclass(frozen=True, slots=True)
class Variant:
    """A task's prompt under one cell of the plan.

    Attributes:
        task: the task that judges the answer; a perturbation that changes code (a rename)
            carries a task of its own here, every other one the original.
        cell: perturbation and seed.
        prompt: what the model sees.
        edits: the edits that turn the clean prompt into `prompt`; empty when recorded.
        member: the member an aggregate drew ("C1" for "C"), or "".
        skipped: why there is no such variant ("no eligible site"), or "" when there is one.
        damage: the kinds of damage the auditor found in a variant that the suite keeps, or "".
    """

    task: Task
    cell: Cell
    prompt: str
    edits: tuple[Edit, ...] = ()
    member: str = ""
    skipped: str = ""
    damage: str = ""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How completions are drawn. `temperature` 0 is greedy decoding."""

    n: int = 1
    temperature: float = 0.0
    top_p: float = 1.0
    max_new_tokens: int = 512
    stop: tuple[str, ...] = ()
    seed: int = 0

    @property
    def greedy(self) -> bool:
        return self.temperature == 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """One completion that is wanted: a variant's prompt and a sample index.

    Attributes:
        noise: seeds the row's own random generator, so that a row's sample does not depend
            on its batch mates (derived from the completion's key without its batch).
    """

    variant: Variant
    sample: int
    noise: int


@dataclass(frozen=True, slots=True)
class Completion:
    """What the model wrote after the prompt, unaltered."""

    text: str
    finish: Finish
    tokens: int = 0

    @property
    def truncated(self) -> bool:
        """The token limit ended it; a wrong answer may only be an unfinished one."""
        return self.finish == "length"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one check may use. Processor time decides; wall time is a backstop.

    Attributes:
        cpu_seconds: of the solution's process in all.
        call_seconds: of it, for one call of a function, where tests call from outside; 0 sets no
            limit of one call.
    """

    cpu_seconds: float = 5.0
    call_seconds: float = 0.0
    wall_seconds: float = 20.0
    memory_mb: int = 1024
    output_bytes: int = 1 << 20
    wire_bytes: int = 16 << 20


class Level(str, Enum):
    """How far a solution got: each level includes the ones before it."""

    NONE = "none"  # not even syntax
    COMPILE = "compile"  # parses, but its top level raises
    LOAD = "load"  # the module loads; no test passed
    PARTIAL = "partial"  # at least one test passed
    FULL = "full"  # every test passed


FailureKind = Literal[
    "",
    "empty",
    "syntax",
    "load-error",
    "missing-entry-point",
    "wrong-answer",
    "exception",
    "timeout",
    "memory",
    "died",
    "protocol",
]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge found.

    Attributes:
        passed, total: tests passed of all tests; `total` is known before the run.
        failure: "" for a full verdict, else the kind of the first failure.
        detail: one line about the first failure, from untrusted text: never markup.
        tier: the isolation the solution ran under.
        cpu_seconds: processor time of the candidate.
        api_uses: one for each API change that the check declares.
        in_process: the tests ran in the solution's process, because they cannot be split from
            it; a hostile solution could have made this verdict up.
    """

    level: Level
    passed: int
    total: int
    failure: FailureKind = ""
    detail: str = ""
    tier: str = ""
    cpu_seconds: float = 0.0
    api_uses: tuple[ApiUse, ...] = ()
    in_process: bool = False

    @property
    def full(self) -> bool:
        return self.level is Level.FULL


class Status(str, Enum):
    """What one (task, cell) turned out to be."""

    SOLVED = "solved"  # a clean prompt that passes
    UNSOLVED = "unsolved"  # clean fails
    ROBUST = "robust"  # clean and variant pass
    BROKEN = "broken"  # clean passes, variant fails
    SKIPPED = "skipped"  # no eligible site, or not recorded
    UNUSABLE = "unusable"  # the oracle self-check rejected the task


@dataclass(frozen=True, slots=True)
class Observation:
    """One measured (task, cell): the counts that every metric is computed from.

    Attributes:
        n, c: samples drawn and samples fully passing.
        clean_n, clean_c: the same for the task's clean prompt.
        truncated: how many of the n completions the token limit ended.
        adoptions: one for each sample, where the task declares an API change.
        in_process: some verdict came from the solution's own process.
        self_edited: the model was edited on this very task: shown, and in no rate.
        reason: why a skipped or unusable item was not measured.
    """

    task_id: str
    cell: Cell
    status: Status
    n: int = 0
    c: int = 0
    clean_n: int = 0
    clean_c: int = 0
    truncated: int = 0
    checked: bool = True
    member: str = ""
    reason: str = ""
    adoptions: tuple[Adoption, ...] = ()
    in_process: bool = False
    self_edited: bool = False

    @property
    def measured(self) -> bool:
        return self.status not in (Status.SKIPPED, Status.UNUSABLE)


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model answered, down to the bit.

    Attributes:
        name: as the user wrote it.
        digest: changes whenever the same prompt might get another answer (weights, edit
            stack, tokenizer, prompt template, dtype, device kind, library versions).
        facts: what a report shows, in order.
    """

    name: str
    digest: str
    facts: Mapping[str, str] = field(default_factory=dict[str, str])


def digest(*parts: object) -> str:
    """The SHA-256 of JSON-able values, stable across processes and platforms.

    Lone surrogates survive: JSON escapes them.
    """
    text = json.dumps(parts, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True)
class Course:
    """How far a run went that was asked in waves, which may end before the plan does.

    Attributes:
        ended: "settled" when what was left could decide no gate, "budget" when that was spent, ""
            when everything was asked.
        tasks: of the plan, asked under one cell at least.
        asked, planned: completions; where a variant may not exist, it counts as planned.
    """

    ended: Literal["", "settled", "budget"]
    tasks: int
    asked: int
    planned: int


@dataclass(frozen=True, slots=True)
class SuiteRun:
    """Everything a report of one suite is computed from; built from the ledger alone.

    Attributes:
        tasks, cells: the whole plan, in order, whether measured or not; `cells` starts with
            the clean one. A complete run has an observation for each pair.
        levels: level of each planned perturbation ("C1" -> "character").
        observations: in plan order.
        incomplete: why the run is partial ("3 of 656 items deselected"), "" when complete.
        notes: sentences the report must show (what was left out, what is lossy).
        api_changes: every change that a task of the plan declares.
        base: of an edited model, the observations of the model before it was edited.
        editing: how the model was edited; None where it was not.
        course: of a run that might end early, how far it went; None where something else left
            items out, and nothing can be judged.
        basis: digests of what else the numbers rest on ("tasks", "extractor", "judge"); equal
            where two runs may be compared.
    """

    suite: str
    model: ModelIdentity
    sampling: Sampling
    ks: tuple[int, ...]
    solved_at: float
    tasks: tuple[str, ...]
    cells: tuple[Cell, ...]
    levels: Mapping[str, str]
    observations: tuple[Observation, ...]
    tier: str = ""
    incomplete: str = ""
    notes: tuple[str, ...] = ()
    api_changes: tuple[ApiChange, ...] = ()
    base: tuple[Observation, ...] = ()
    editing: Editing | None = None
    basis: Mapping[str, str] = field(default_factory=dict[str, str])
    course: Course | None = None
