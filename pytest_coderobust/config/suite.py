"""A suite file: tasks, perturbations, sampling, limits, gates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, cast

from pytest_coderobust.config.api_changes import Declared, read_declared
from pytest_coderobust.config.baseline import BaselineRule, read_baseline_rule
from pytest_coderobust.config.edits import EditConfig, read_edit
from pytest_coderobust.config.migration import MigrationConfig, read_migration
from pytest_coderobust.config.perturbations import (
    Perturbing,
    check_perturbations,
    read_perturbing,
    read_train,
)
from pytest_coderobust.config.reading import read_reading
from pytest_coderobust.config.rewriters import Rewriters, find_rewriters, read_rewriters
from pytest_coderobust.config.sandbox import SandboxConfig, read_sandbox
from pytest_coderobust.config.table import Table, check_unique, read_toml
from pytest_coderobust.errors import ConfigError
from pytest_coderobust.records import (
    CLEAN,
    AnswerReading,
    Cell,
    Limits,
    PromptForm,
    Sampling,
)

Extraction = Literal["code", "raw"]

MOST = 10_000
"""The most seeds, and samples a prompt: far above any paper's, far below a machine's memory."""

WINDOW = 256
"""Tasks of a window: enough to sort by length, few enough that first results come soon."""

GateSource = str | Mapping[str, object]
"""A gate as the user wrote it; `pytest_coderobust.gates` parses it."""


@dataclass(frozen=True, slots=True)
class SuiteConfig:
    """A validated suite file.

    Attributes:
        path: the file, or the folder that relative paths start from for a suite that was
            named without a file.
        tasks: a data set's name, a path relative to the file, or "hub:ORG/NAME".
        ids: a file that lists the ids of the tasks to take, relative to the file; None takes all.
        recorded: files of recorded variants, relative to the file.
        perturbing: the settings that the perturbations are drawn with.
        ks: every k of the pass@k that is wanted; each at most `sampling.n`.
        reading: the choices by which a solution is read from an answer.
        solved_at: share of samples that must pass for a prompt to count as solved.
        max_unusable: share of tasks the oracle self-check may reject before the run stops.
        minimum_tier: the weakest isolation under which the suite may be judged; "" for any.
        packages: installed distributions that solutions and tests may use.
        window: tasks that are generated together, under one cell.
        early: whether cells that cannot change the result of a gate are left out.
        train: perturbations that models may be trained on; the others are unseen.
        baseline: the rule by which a run is compared with its baseline.
        api_changes: enforced on the solutions of the tasks that they are for.
    """

    path: Path
    name: str
    tasks: str
    ids: str | None = None
    format: str | None = None
    prompt_form: PromptForm = "docstring"
    perturbations: tuple[str, ...] = ()
    recorded: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)
    limit: int | None = None
    window: int = WINDOW
    perturbing: Perturbing = field(default_factory=Perturbing)
    ks: tuple[int, ...] = (1,)
    solved_at: float = 0.5
    max_unusable: float = 0.1
    extraction: Extraction = "code"
    reading: AnswerReading = field(default_factory=AnswerReading)
    gates: tuple[GateSource, ...] = ()
    early: bool = False
    train: tuple[str, ...] = ()
    api_changes: tuple[Declared, ...] = ()
    baseline: BaselineRule = field(default_factory=BaselineRule)
    sampling: Sampling = field(default_factory=Sampling)
    limits: Limits = field(default_factory=Limits)
    minimum_tier: str = ""
    packages: tuple[str, ...] = ()
    edit: EditConfig = field(default_factory=EditConfig)
    migration: MigrationConfig = field(default_factory=MigrationConfig)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The columns of the plan that are generated here, the clean one first."""
        return (
            Cell(),
            *(Cell(name, seed) for name in self.perturbations for seed in self.seeds),
        )

    @property
    def base(self) -> Path:
        """The folder that relative paths start from."""
        return self.path if self.path.is_dir() else self.path.parent


def read_suite_kind(path: Path) -> Literal["suite", "other", "broken"]:
    """Reads whether a TOML file has a `[suite]` table, has none, or cannot be read at all."""
    try:
        return "suite" if isinstance(read_toml(path).get("suite"), dict) else "other"
    except ConfigError:
        return "broken"


def read_suite(path: Path) -> SuiteConfig:
    """Reads and validates a suite file.

    Raises:
        ConfigError: the file, a section, a key or a value is wrong.
    """
    document = Table(read_toml(path), "", path)
    sampling = _sampling(document.table("sampling"))
    sandbox = read_sandbox(document.table("sandbox"))
    rewriters = read_rewriters(find_rewriters(document))
    edit = read_edit(document.table("edit"))
    baseline = read_baseline_rule(document.table("baseline"))
    migration = read_migration(document.table("migration"))
    suite = document.table("suite")
    document.finish()
    found = _suite(suite, path, sampling, sandbox, rewriters)
    if found.early and edit.editors:
        raise suite.error("early", "settles the gates of one model, and [edit] makes several")
    return replace(found, edit=edit, baseline=baseline, migration=migration)


def make_named_suite(tasks: str, base: Path) -> SuiteConfig:
    """Makes the suite of a data set named without a file: clean prompts, greedy, no gates."""
    return SuiteConfig(path=base, name=tasks, tasks=tasks)


def with_perturbations(config: SuiteConfig, names: Iterable[str], where: str) -> SuiteConfig:
    """Replaces the perturbations of a suite, as `--perturb` asks.

    Raises:
        ConfigError: a name is not a perturbation, or not one that this suite can do.
    """
    chosen = tuple(dict.fromkeys(name for name in names if name != CLEAN))
    check_perturbations(chosen, config.prompt_form, config.perturbing.rewriters, where)
    return replace(config, perturbations=chosen)


def _suite(
    table: Table, path: Path, sampling: Sampling, sandbox: SandboxConfig, rewriters: Rewriters
) -> SuiteConfig:
    if "tasks" not in table:
        raise table.error("tasks", "missing; it names a data set or a file of tasks")
    perturbations = table.texts("perturbations")
    form = cast(
        "PromptForm", table.choice("prompt_form", "docstring", ("docstring", "plain", "partial"))
    )
    check_perturbations(perturbations, form, rewriters, f"{path}: [suite] perturbations: ")
    check_unique(table, "perturbations", perturbations)
    config = SuiteConfig(
        path=path,
        name=_name(table, path),
        tasks=table.text("tasks", ""),
        ids=table.text("ids", "") or None,
        format=table.text("format", "") or None,
        prompt_form=form,
        perturbations=perturbations,
        recorded=_recorded(table, form),
        perturbing=read_perturbing(table, rewriters),
        seeds=_seeds(table),
        limit=table.integer("limit", 0, least=0) or None,
        window=table.integer("window", WINDOW, least=1, most=WINDOW),
        ks=_ks(table, sampling.n),
        solved_at=table.number("solved_at", 0.5, least=0.0, most=1.0),
        max_unusable=table.number("max_unusable", 0.1, least=0.0, most=1.0),
        extraction=cast("Extraction", table.choice("extraction", "code", ("code", "raw"))),
        reading=read_reading(table),
        gates=_gates(table),
        early=table.boolean("early", default=False),
        train=read_train(table, perturbations),
        api_changes=read_declared(
            table.items("api_changes"), lambda problem: table.error("api_changes", problem)
        ),
        sampling=sampling,
        limits=sandbox.limits,
        minimum_tier=sandbox.minimum_tier,
        packages=sandbox.packages,
    )
    table.finish()
    return config


def _sampling(table: Table) -> Sampling:
    sampling = Sampling(
        n=table.integer("n", 1, least=1, most=MOST),
        temperature=table.number("temperature", 0.0, least=0.0, most=10.0),
        top_p=table.number("top_p", 1.0, least=0.0, most=1.0),
        max_new_tokens=table.integer("max_new_tokens", 512, least=1),
        stop=table.texts("stop"),
        seed=table.integer("seed", 0, least=0),
    )
    table.finish()
    if sampling.greedy and sampling.n > 1:
        raise table.error("n", "greedy decoding (temperature 0) draws the same sample every time")
    return sampling


def _name(table: Table, path: Path) -> str:
    name = table.text("name", path.stem)
    if not name.strip():
        raise table.error("name", "must not be empty; left out, it is the file's name")
    return name


def _seeds(table: Table) -> tuple[int, ...]:
    if table.is_integer("seeds"):
        return tuple(range(table.integer("seeds", 1, least=1, most=MOST)))
    seeds = table.integers("seeds", (0,))
    if not seeds or min(seeds) < 0:
        raise table.error(
            "seeds", "must be how many seeds, or a list of seeds that are not negative"
        )
    check_unique(table, "seeds", seeds)
    return seeds


def _ks(table: Table, n: int) -> tuple[int, ...]:
    ks = table.integers("k", (1,))
    for k in ks:
        if not 1 <= k <= n:
            raise table.error(
                "k", f"{k} lies outside 1 to {n}, the number of samples ([sampling] n)"
            )
    if not ks:
        raise table.error("k", "must name at least one k")
    check_unique(table, "k", ks)
    return tuple(sorted(ks))


def _recorded(table: Table, form: PromptForm) -> tuple[str, ...]:
    recorded = table.texts("recorded")
    if recorded and form == "partial":
        raise table.error(
            "recorded", 'holds whole prompts, which prompt_form = "partial" cannot take'
        )
    return recorded


def _gates(table: Table) -> tuple[GateSource, ...]:
    gates = table.items("gates")
    for gate in gates:
        if not isinstance(gate, (str, dict)):
            raise table.error(
                "gates", f'{gate!r} must be a string such as "rd[C1] <= 0.15", or a table'
            )
    return cast("tuple[GateSource, ...]", gates)
