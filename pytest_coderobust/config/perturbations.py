"""Perturbations that a suite may name, and the settings they are drawn with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, cast

from coderobust_strategies import PerturbationError, lookup
from coderobust_strategies.catalogue import CODE_PREFIX, FOREIGN_PREFIX, list_changes
from coderobust_strategies.perturbation import RewriterNeeded
from coderobust_strategies.perturbations.recode import needs_partial_code
from coderobust_strategies.variant import LEXICONS, Lexicon
from pytest_coderobust.config.rewriters import Rewriters, explain_missing_rewriter
from pytest_coderobust.config.table import Table, check_unique
from pytest_coderobust.errors import ConfigError
from pytest_coderobust.records import PromptForm

Damaged = Literal["skip", "keep"]


@dataclass(frozen=True, slots=True)
class Perturbing:
    """The settings that a suite's perturbations are drawn with.

    Attributes:
        profile: the paper whose rates are used.
        edit_rate: share of the candidate sites that change; None is the profile's.
        sample_ratio: share of the samples that are perturbed at all.
        lexicon: the source of words for word-level perturbations.
        damaged: whether variants that the auditor calls damaged are left out before a model
            sees them, or kept, as the papers did. Our own edits damage nothing; rewriters and
            recorded rows may.
        rewriters: the rewriters of sentences.
    """

    profile: str = "recode"
    edit_rate: float | None = None
    sample_ratio: float = 1.0
    lexicon: Lexicon = "bundled"
    damaged: Damaged = "skip"
    rewriters: Rewriters = field(default_factory=Rewriters)

    @property
    def keep_damaged(self) -> bool:
        return self.damaged == "keep"


def read_perturbing(table: Table, rewriters: Rewriters) -> Perturbing:
    """Reads the keys of `[suite]` that say how perturbations are drawn.

    Raises:
        ConfigError: a value is wrong.
    """
    edit_rate = table.number("edit_rate", 0.0, least=0.0, most=1.0)
    if "edit_rate" in table and not edit_rate:
        raise table.error("edit_rate", "must be more than 0")
    return Perturbing(
        profile=table.choice("profile", "recode", ("recode",)),
        edit_rate=edit_rate if "edit_rate" in table else None,
        sample_ratio=table.number("sample_ratio", 1.0, least=0.0, most=1.0),
        lexicon=cast("Lexicon", table.choice("lexicon", "bundled", LEXICONS)),
        damaged=cast("Damaged", table.choice("damaged", "skip", ("skip", "keep"))),
        rewriters=rewriters,
    )


def read_train(table: Table, perturbations: tuple[str, ...]) -> tuple[str, ...]:
    """Reads the perturbations that models may be trained on.

    Raises:
        ConfigError: a name is unknown, or no perturbation of the suite is left unseen.
    """
    train = table.texts("train")
    check_unique(table, "train", train)
    for name in train:
        check_names((name,), table.place("train") + " ")
    known = frozenset[str]().union(*map(list_changes, train))
    unseen = [name for name in perturbations if list_changes(name).isdisjoint(known)]
    if train and not unseen and "recorded" not in table:
        raise table.error("train", "no perturbation of the suite is left unseen")
    return train


def check_names(names: Iterable[str], where: str) -> None:
    """Refuses names that are not a perturbation in any suite.

    Raises:
        ConfigError: offers the nearest name.
    """
    for name in names:
        try:
            if name.startswith(CODE_PREFIX):
                needs_partial_code(name)
            else:
                lookup(name, rewriter=True)
        except PerturbationError as error:
            raise ConfigError(f"{where}{error}") from None


def check_perturbations(
    names: Iterable[str], form: PromptForm, rewriters: Rewriters, where: str
) -> None:
    """Refuses what this suite cannot do: a rewriter or the code to change is missing.

    Raises:
        ConfigError: one sentence with the remedy.
    """
    for name in names:
        check_names((name,), where)
        if name.startswith(CODE_PREFIX):
            _check_code(name, form, where)
            continue
        try:
            lookup(name, rewriter=name in rewriters.specs or name.startswith(FOREIGN_PREFIX))
        except RewriterNeeded:
            title = lookup(name, rewriter=True).title
            raise explain_missing_rewriter(name, title, where) from None


def _check_code(name: str, form: PromptForm, where: str) -> None:
    if needs_partial_code(name) and form != "partial":
        raise ConfigError(
            f"{where}perturbation {name!r} changes the syntax of code inside the prompt, so the "
            f'suite needs prompt_form = "partial" (it is {form!r})'
        )
    if form == "plain":
        raise ConfigError(
            f"{where}perturbation {name!r} changes code, and the prompts of "
            'prompt_form = "plain" have none (valid: docstring, partial)'
        )
