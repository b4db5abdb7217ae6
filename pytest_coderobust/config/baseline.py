"""The `[baseline]` section of a suite: the loss that a run may have against its baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from pytest_coderobust.config.table import Table

MARGIN = 0.05
"""The loss of pass@k that still counts as not worse, unless the suite says otherwise."""


@dataclass(frozen=True, slots=True)
class BaselineRule:
    """The rule by which a run is compared with its baseline.

    Attributes:
        margin: the loss of pass@k, as a share of 1, that still counts as not worse.
        inconclusive: what an inconclusive comparison does to the exit status.
    """

    margin: float = MARGIN
    inconclusive: Literal["fail", "pass"] = "fail"


def read_baseline_rule(table: Table) -> BaselineRule:
    """Reads the section; the defaults where it is absent.

    Raises:
        ConfigError: a key or value is wrong.
    """
    inconclusive = table.choice("inconclusive", "fail", ("fail", "pass"))
    rule = BaselineRule(
        margin=table.number("margin", MARGIN, least=0.0, most=1.0),
        inconclusive=cast("Literal['fail', 'pass']", inconclusive),
    )
    table.finish()
    return rule
