"""`[engines]` of a suite: what rewrites sentences for S1, nlp:P1 and nlp:P2.

[engines]
S1 = "apertium"                          # en -> es -> en, from the distribution's packages
S1 = "transformers:ORG/EN-DE,ORG/DE-EN"  # hub names or folders, one after the other
"nlp:P1" = "rows:humaneval_rephrasing_sentence.csv.gz"
"nlp:P2" = "mytools.questions:ask"       # any function from a paragraph to a paragraph
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
"""How an engine is written."""

PIVOT = "spa"
_FUNCTION = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """An engine as a suite names it.

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
    """The engines of a suite, by perturbation.

    Attributes:
        allow_bin: a model without safetensors may be loaded, with `weights_only`.
    """

    specs: Mapping[str, EngineSpec] = field(default_factory=dict[str, EngineSpec])
    allow_bin: bool = False

    def serving(self, perturbation: str) -> EngineSpec | None:
        """The engine that a perturbation uses, itself or through a member; None for none."""
        for name in (perturbation, *WITH_REWRITER.get(perturbation, ())):
            if name in self.specs:
                return self.specs[name]
        return None


def read_engines(table: Table) -> Rewriters:
    """The section, validated; nothing is looked for yet.

    Raises:
        ConfigError: a key is no perturbation that takes an engine, or a value is no engine.
    """
    specs: dict[str, EngineSpec] = {}
    for name in REWRITING:
        text = table.text(name, "")
        if name in table:
            spec = parse_engine(text)
            if spec is None:
                raise table.error(name, f"is no engine{nearest(text, FORMS)}")
            specs[name] = spec
    allow_bin = table.boolean("allow_bin", default=False)
    table.finish()
    return Rewriters(specs, allow_bin)


def parse_engine(text: str) -> EngineSpec | None:
    """The engine that a text names, or None."""
    kind, _, rest = text.partition(":")
    if kind == "apertium" and (rest == "" or re.fullmatch(r"[a-z]{2,3}", rest)):
        return EngineSpec("apertium", (rest or PIVOT,), text)
    if kind == "transformers":
        models = tuple(part.strip() for part in rest.split(","))
        return EngineSpec("transformers", models, text) if all(models) and len(models) < 3 else None
    if kind == "rows":
        return EngineSpec("rows", (rest,), text) if rest else None
    if _FUNCTION.fullmatch(text) and kind != "apertium":
        return EngineSpec("callable", (kind, rest), text)
    return None


def engine_needed(name: str, title: str, where: str) -> ConfigError:
    """The error of a perturbation that has no engine."""
    return ConfigError(
        f"{where}perturbation {name!r} ({title}) needs an engine: "
        f'write one under [engines], such as {name!r} = "apertium"; valid are '
        f"{', '.join(map(repr, FORMS))}"
    )
