"""The ledger: an append-only SQLite store of completions, verdicts and observations.

Rows are keyed by content (see `pytest_coderobust.engine.keys`), so a result can never answer for
another model, prompt or judge. The generation lease is a lock of the operating system, which
frees it when its holder dies.
"""

from __future__ import annotations

from pytest_coderobust.ledger.squares import Evidence
from pytest_coderobust.ledger.store import Ledger

__all__ = ["Evidence", "Ledger"]
