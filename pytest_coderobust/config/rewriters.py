"""The `[rewriters]` section of a suite: rewriters of sentences for S1, nlp:P1 and nlp:P2.

[rewriters]
S1 = "apertium"                          # en -> es -> en, from the distribution's packages
S1 = "transformers:ORG/EN-DE,ORG/DE-EN"  # hub names or folders, one after the other
"nlp:P1" = "rows:humaneval_rephrasing_sentence.csv.gz"
"nlp:P2" = "mytools.questions:ask"       # any function from a paragraph to a paragraph

The section was called `[engines]`, which is accepted for one release.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from coderobust_strategies.catalogue import REWRITING, WITH_REWRITER
from pytest_coderobust.config.table import Table
from pytest_coderobust.errors import ConfigError, nearest

RewriterKind = Literal["apertium", "transformers", "rows", "callable"]

FORMS = ("apertium", "transformers:MODEL,MODEL", "rows:FILE", "MODULE:FUNCTION")
"""The forms in which a suite writes a rewriter."""

PIVOT = "spa"
_FUNCTION = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class RewriterSpec:
    """A rewriter as a suite names it.

    Attributes:
        arguments: the pivot language; the models in their order; the pattern of the files of
            recorded rows; module and function.
        text: as the user wrote it.
    """

    kind: RewriterKind
    arguments: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Rewriters:
    """The rewriters of a suite, by perturbation.

    Attributes:
        allow_bin: a model without safetensors may be loaded, with `weights_only`.
    """

    specs: Mapping[str, RewriterSpec] = field(default_factory=dict[str, RewriterSpec])
    allow_bin: bool = False

    def serving(self, perturbation: str) -> RewriterSpec | None:
        """The rewriter that a perturbation uses, itself or through a member; None for none."""
        for name in (perturbation, *WITH_REWRITER.get(perturbation, ())):
            if name in self.specs:
                return self.specs[name]
        return None


def find_rewriters(document: Table) -> Table:
    """Finds the section in a suite file, also under its former name `[engines]`.

    Raises:
        ConfigError: the file has both.
    """
    if "engines" not in document:
        return document.table("rewriters")
    if "rewriters" in document:
        where = document.place("[engines]")
        raise ConfigError(f"{where} the former name of [rewriters]; keep one of the two sections")
    return document.table("engines")


def read_rewriters(table: Table) -> Rewriters:
    """Reads and validates the section; nothing is looked for yet.

    Raises:
        ConfigError: a key is not a perturbation that takes a rewriter, or a value is not a
            valid rewriter.
    """
    specs: dict[str, RewriterSpec] = {}
    for name in REWRITING:
        text = table.text(name, "")
        if name in table:
            spec = parse_rewriter(text)
            if spec is None:
                raise table.error(name, f"is not a valid rewriter{nearest(text, FORMS)}")
            specs[name] = spec
    allow_bin = table.boolean("allow_bin", default=False)
    table.finish()
    return Rewriters(specs, allow_bin)


def parse_rewriter(text: str) -> RewriterSpec | None:
    """Reads the rewriter that a text names; None where it is not a valid one."""
    kind, _, rest = text.partition(":")
    if kind == "apertium" and (rest == "" or re.fullmatch(r"[a-z]{2,3}", rest)):
        return RewriterSpec("apertium", (rest or PIVOT,), text)
    if kind == "transformers":
        models = tuple(part.strip() for part in rest.split(","))
        return (
            RewriterSpec("transformers", models, text) if all(models) and len(models) < 3 else None
        )
    if kind == "rows":
        return RewriterSpec("rows", (rest,), text) if rest else None
    if _FUNCTION.fullmatch(text) and kind != "apertium":
        return RewriterSpec("callable", (kind, rest), text)
    return None


def explain_missing_rewriter(name: str, title: str, where: str) -> ConfigError:
    """Makes the error of a perturbation that has no rewriter."""
    return ConfigError(
        f"{where}perturbation {name!r} ({title}) needs a rewriter: "
        f'write one under [rewriters], such as {name!r} = "apertium"; valid are '
        f"{', '.join(map(repr, FORMS))}"
    )
