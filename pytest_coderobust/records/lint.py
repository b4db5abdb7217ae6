"""The remarks that a linter makes about one source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LintTrouble = Literal["", "syntax", "unjudged"]
"""Why there are no remarks: "syntax" where the source is not valid Python, "unjudged" where the
linter gave up on it."""


@dataclass(frozen=True, slots=True)
class LintRemark:
    """One message: its line from 1, its code ("C0200") and its name, "" where it has none."""

    line: int
    code: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class LintedSource:
    """A source as a linter judged it; no remarks where there is trouble."""

    trouble: LintTrouble = ""
    remarks: tuple[LintRemark, ...] = ()
