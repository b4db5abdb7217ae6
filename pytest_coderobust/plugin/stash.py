"""Keys of the plugin's objects in the stash of pytest's config; light enough for every hook."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from coderobust_strategies import Edit
    from pytest_coderobust.plugin.outcome import Findings
    from pytest_coderobust.records import Square, Task
    from pytest_coderobust.session.session import Session

SESSION: pytest.StashKey[Session] = pytest.StashKey()
"""The run's model, sandbox, ledger and suites; absent when no model is named."""

FINDINGS: pytest.StashKey[Findings] = pytest.StashKey()
"""The observations of the run so far; absent when no model is named."""

NOTES: pytest.StashKey[ItemNotes] = pytest.StashKey()
"""Notes on the running test; absent when no model is named."""


@dataclass(slots=True)
class ItemNotes:
    """Notes on the test that runs now, for its report.

    Attributes:
        seen: the squares it observed: suite, run digest, square.
        drawn: the prompts it drew and the model did not solve: suite, task, edits.
    """

    seen: list[tuple[str, str, Square]] = field(default_factory=list["tuple[str, str, Square]"])
    drawn: list[tuple[str, Task, frozenset[Edit]]] = field(
        default_factory=list["tuple[str, Task, frozenset[Edit]]"]
    )


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is one of xdist's workers."""
    return hasattr(config, "workerinput")
