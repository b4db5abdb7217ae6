"""The plan of a suite: its tasks, its cells and its recorded variants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, field, replace

from coderobust_strategies import PerturbationError, level
from coderobust_strategies.catalogue import CODE_PREFIX, WITH_WORDNET, lookup
from pytest_coderobust.config.suite import WINDOW, SuiteConfig
from pytest_coderobust.engine.api_changes import add_api_changes
from pytest_coderobust.engine.rewrites import (
    RewriteSource,
    describe_rewriters,
    open_rewrite_sources,
)
from pytest_coderobust.errors import DataError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.extraction.braces import BRACES_VERSION
from pytest_coderobust.records import ApiChange, Cell, Task, Variant, digest
from pytest_coderobust.tasks.load import load_tasks
from pytest_coderobust.tasks.recording_row import find_recorded_level
from pytest_coderobust.tasks.recordings import load_recorded
from pytest_coderobust.tasks.subset import choose_tasks


@dataclass(frozen=True, slots=True)
class Plan:
    """Every (task, cell) of a suite, in the order of its columns.

    Attributes:
        recorded: variants that come from files, by cell and task id.
        digest: changes whenever a measured number might change.
        rewrite_sources: sources of rewritten sentences, by perturbation.
    """

    config: SuiteConfig
    tasks: Mapping[str, Task]
    cells: tuple[Cell, ...]
    recorded: Mapping[Cell, Mapping[str, Variant]]
    digest: str
    notes: tuple[str, ...] = field(default=())
    rewrite_sources: Mapping[str, RewriteSource] = field(default_factory=dict[str, RewriteSource])

    @property
    def levels(self) -> dict[str, str]:
        """The level of each perturbation, in plan order."""
        return {
            cell.perturbation: find_recorded_level(cell.perturbation)
            if cell in self.recorded
            else level(cell.perturbation)
            for cell in self.cells
            if not cell.is_clean
        }

    @property
    def api_changes(self) -> tuple[ApiChange, ...]:
        """Every API change that a task declares, once."""
        declared = (change for task in self.tasks.values() for change in task.api_changes)
        return tuple(dict.fromkeys(declared))


def read_plan(config: SuiteConfig, memory: Callable[[], Ledger] | None = None) -> Plan:
    """Reads the tasks of a suite; no prompt is perturbed yet.

    Args:
        memory: opens the ledger that remembers what rewriters wrote; called at the first use.

    Raises:
        DataError: the tasks or the recorded variants cannot be read.
        UsageError: what a rewriter or a lexicon needs is missing.
    """
    tasks = load_tasks(config.tasks, base=config.base, form=config.prompt_form, fmt=config.format)
    tasks = replace(tasks, tasks=add_api_changes(tasks.tasks, config))
    perturbing = config.perturbing
    recorded = load_recorded(
        config.recorded,
        base=config.base,
        tasks=tasks,
        form=config.prompt_form,
        keep_damaged=perturbing.keep_damaged,
    )
    subset = choose_tasks(tasks, config.base / config.ids if config.ids else None, config.limit)
    chosen = subset.tasks
    if not chosen:
        raise DataError(f"{config.path}: {config.tasks} has no tasks")
    _check_lexicon(config)
    rewrite_sources = open_rewrite_sources(config, tasks, memory)
    return Plan(
        config=config,
        tasks={task.id: task for task in chosen},
        cells=(*config.cells, *recorded.variants),
        recorded=recorded.variants,
        digest=digest(
            "plan",
            tasks.digest,
            recorded.digest,
            config.prompt_form,
            config.limit,
            [perturbing.profile, perturbing.edit_rate, perturbing.sample_ratio],
            [perturbing.lexicon, perturbing.damaged],
            {name: [spec.text] for name, spec in perturbing.rewriters.specs.items()},
            {
                name: {str(s): dict(r) for s, r in w.rows.items()}
                for name, w in rewrite_sources.items()
            },
            astuple(config.limits),
            config.solved_at,
            [[change.parts for change in task.api_changes] for task in chosen],
            # A suite without a list of ids keeps the digest that it always had.
            *([[task.id for task in chosen]] if config.ids else []),
            *([config.window] if config.window != WINDOW else []),
            # Nor does one in Python, whatever is done for other languages.
            *([BRACES_VERSION] if any(task.language != "python" for task in chosen) else []),
        ),
        notes=(*subset.notes, *recorded.notes, *describe_rewriters(config)),
        rewrite_sources=rewrite_sources,
    )


def _check_lexicon(config: SuiteConfig) -> None:
    """Refuses a lexicon whose data are missing, if a perturbation of the suite reads it.

    Raises:
        DataError: the data are missing; the message says how to get them.
    """
    if config.perturbing.lexicon != "wordnet" or not any(map(_reads_words, config.perturbations)):
        return
    from coderobust_strategies.perturbations.wordnet import load_wordnet

    try:
        load_wordnet()
    except PerturbationError as error:
        raise DataError(f"{config.path}: [suite] {error}") from None


def _reads_words(name: str) -> bool:
    if name.startswith(CODE_PREFIX):
        return False
    found = lookup(name, rewriter=True)
    parts = [
        part for each in (found.members or (name,)) for part in lookup(each, rewriter=True).parts
    ]
    return any(part.code in WITH_WORDNET for part in parts)
