"""Where the plugin's objects hang on pytest's config; light, so that every hook may import it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_coderobust.plugin.outcome import Findings
    from pytest_coderobust.plugin.session import CodeRobust

STATE: pytest.StashKey[CodeRobust] = pytest.StashKey()
"""The run's model, judge and ledger; absent when no model is named."""

FINDINGS: pytest.StashKey[Findings] = pytest.StashKey()
"""What the run has seen so far; absent when no model is named."""


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is one of xdist's workers."""
    return hasattr(config, "workerinput")
