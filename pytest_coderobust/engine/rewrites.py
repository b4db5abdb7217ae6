"""Rewritten sentences of a suite: each paragraph is rewritten once and kept in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from coderobust_strategies.catalogue import FOREIGN_PREFIX
from coderobust_strategies.prompt.anatomy import Anatomy, dissect
from coderobust_strategies.prompt.protection import protected_spans
from coderobust_strategies.rewrite import Rewriter, find_paragraphs, flatten
from pytest_coderobust.config.suite import SuiteConfig
from pytest_coderobust.errors import DataError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.records import Cell, Completion, Task, digest
from pytest_coderobust.rewriters.registry import open_rewriter, remark
from pytest_coderobust.rewriters.rewriter import Paragraph, SentenceRewriter
from pytest_coderobust.tasks.load import TaskSet
from pytest_coderobust.tasks.recordings import load_recorded

RecordedRows = Mapping[int, Mapping[str, str]]
"""Recorded prompts by seed and task id."""


@dataclass(slots=True)
class RewriteSource:
    """The source of one perturbation's rewritten prompts: a rewriter, or recorded rows.

    Attributes:
        memory: opens the ledger that remembers the rewriter's answers; with None they are
            remembered for this process alone.
    """

    sentences: SentenceRewriter | None = None
    rows: RecordedRows = field(default_factory=dict[int, Mapping[str, str]])
    memory: Callable[[], Ledger] | None = None
    _known: dict[str, str] = field(default_factory=dict[str, str])

    def recorded(self, task: Task, cell: Cell) -> str | None:
        """The recorded prompt of a task, "" if there is none; None for a rewriter."""
        if self.sentences is not None:
            return None
        only = next(iter(self.rows.values())) if len(self.rows) == 1 else {}
        return self.rows.get(cell.seed, only).get(task.id, "")

    def rewriter(self, task: Task, cell: Cell) -> Rewriter | None:
        """A function that rewrites a paragraph of the task; None for recorded rows."""
        if self.sentences is None:
            return None
        names = _dissect(task).names
        seed = cell.seed if self.sentences.seeded else 0
        return lambda text: self.answers([Paragraph(text, protected_spans(text, names), seed)])[0]

    def prepare(self, tasks: Iterable[Task]) -> None:
        """Rewrites the descriptions of many tasks at once where that is far cheaper."""
        if self.sentences is not None and self.sentences.batched:
            self.answers([paragraph for task in tasks for paragraph in _list_paragraphs(task)])

    def answers(self, asked: Sequence[Paragraph]) -> list[str]:
        """Rewrites each paragraph; the answer that was stored first is the one that counts.

        Raises:
            ModelError: the rewriter cannot be run.
        """
        assert self.sentences is not None
        known, rewriter = self._known, self.sentences
        keys = [
            digest("rewrite", rewriter.digest, each.text, each.protected, each.seed)
            for each in asked
        ]
        missing = {key: each for key, each in zip(keys, asked, strict=True) if key not in known}
        known.update(self._remembered(missing))
        missing = {key: each for key, each in missing.items() if key not in known}
        if missing:
            made = dict(zip(missing, rewriter.rewrite(list(missing.values())), strict=True))
            known.update(made)
            if self.memory is not None:
                stored = {key: Completion(text, "recorded") for key, text in made.items()}
                self.memory().add_completions(stored)
                # Another process may have stored its own answer meanwhile, and that one stays.
                known.update(self._remembered(made))
        return [known[key] for key in keys]

    def _remembered(self, keys: Iterable[str]) -> dict[str, str]:
        if self.memory is None:
            return {}
        return {key: found.text for key, found in self.memory().completions(keys).items()}


def open_rewrite_sources(
    config: SuiteConfig, tasks: TaskSet, memory: Callable[[], Ledger] | None
) -> dict[str, RewriteSource]:
    """Opens the source of each perturbation of the suite that needs rewritten sentences.

    Raises:
        UsageError: what a rewriter needs is missing.
        DataError: recorded rows cannot be used.
    """
    rewriters = config.perturbing.rewriters
    found: dict[str, RewriteSource] = {}
    for name, spec in rewriters.specs.items():
        if not any(rewriters.serving(wanted) is spec for wanted in config.perturbations):
            continue
        where = f"{config.path}: [rewriters] {name} = {spec.text!r}"
        if spec.kind == "rows":
            found[name] = RewriteSource(rows=_read_rows(spec.arguments[0], config, tasks, where))
        else:
            rewriter = open_rewriter(spec, config.base, where, allow_bin=rewriters.allow_bin)
            found[name] = RewriteSource(rewriter, memory=memory)
    for name in config.perturbations:
        if name.startswith(FOREIGN_PREFIX):
            from pytest_coderobust.rewriters.textattack import TextAttack

            where = f"{config.path}: [suite] perturbations: {name}"
            foreign = TextAttack(name, config.perturbing.edit_rate, where)
            found[name] = RewriteSource(foreign, memory=memory)
    return found


def describe_rewriters(config: SuiteConfig) -> tuple[str, ...]:
    """Makes the notes of a report about rewriters that are lossy or missing."""
    rewriters = config.perturbing.rewriters
    notes = [
        f"{name} is made by {spec.text}, which {remark(spec)}"
        for name, spec in rewriters.specs.items()
        if remark(spec) and any(rewriters.serving(each) is spec for each in config.perturbations)
    ]
    without = [
        name
        for name in ("S", "mix_all")
        if name in config.perturbations and rewriters.serving(name) is None
    ]
    if without:
        draws = "draws" if len(without) == 1 else "draw"
        notes.append(
            f"{' and '.join(without)} {draws} without S1: back-translation needs a rewriter "
            "([rewriters] S1)"
        )
    if config.perturbing.lexicon == "wordnet":
        notes.append("words come from WordNet in every sense: a variant may say something else")
    return tuple(notes)


def _read_rows(pattern: str, config: SuiteConfig, tasks: TaskSet, where: str) -> RecordedRows:
    found = load_recorded(
        (pattern,), base=config.base, tasks=tasks, form=config.prompt_form, keep_damaged=True
    )
    names = list(dict.fromkeys(cell.perturbation for cell in found.variants))
    if len(names) != 1:
        raise DataError(f"{where}: needs rows of one perturbation, found {', '.join(names) or 0}")
    return {
        cell.seed: {task: variant.prompt for task, variant in variants.items()}
        for cell, variants in found.variants.items()
    }


def _dissect(task: Task) -> Anatomy:
    return dissect(task.prompt, task.entry_point, task.canonical or "")


def _list_paragraphs(task: Task) -> list[Paragraph]:
    anatomy = _dissect(task)
    texts = [flatten(anatomy, start, stop) for start, stop in find_paragraphs(anatomy)]
    return [Paragraph(text, protected_spans(text, anatomy.names)) for text in texts]
