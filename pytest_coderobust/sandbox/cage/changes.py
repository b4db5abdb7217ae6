"""API changes of one check, from before its fork to after it."""

from __future__ import annotations

from typing import Any

from pytest_coderobust.sandbox.cage.apis import enforce
from pytest_coderobust.sandbox.cage.tally import UseCounts


class Changes:
    """Declared API changes, with counters that the candidate's process shares.

    Args:
        declared: old and new full names ("" for a new one that there is not), and maybe the kind
            of adapter and its parameters.
    """

    def __init__(self, declared: list[list[str]]) -> None:
        self._declared = declared
        self._tally = UseCounts(2 * len(declared))

    def enforce(self) -> dict[str, Any]:
        """Makes the changes in this process; returns the builtins that the solution gets."""
        return enforce(self._declared, self._tally)

    def uses(self) -> list[list[int]]:
        """Returns attempts on the old name and uses of the new one, by change; call it once."""
        found = self._tally.take()
        return [found[at : at + 2] for at in range(0, len(found), 2)]
