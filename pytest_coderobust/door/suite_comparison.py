"""The comparison of two results of a suite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pytest_coderobust.metrics.comparison import ComparisonVerdict, RunComparison
from pytest_coderobust.records import Square
from pytest_coderobust.reporting.json.comparison import encode_change
from pytest_coderobust.results.against import join_comparison
from pytest_coderobust.results.conclusion import SuiteReport


@dataclass(frozen=True, slots=True, repr=False)
class SuiteComparison:
    """Comparison of a result with an earlier one; a notebook shows it as a table.

    Attributes:
        found: everything that was computed.
        before, after: the names of the two models.
    """

    found: RunComparison
    before: str
    after: str

    @property
    def verdict(self) -> ComparisonVerdict:
        """The verdict: "regressed", "not worse" or "inconclusive"."""
        return self.found.verdict

    @property
    def changes(self) -> list[dict[str, Any]]:
        """The rates in both runs with their changes, as the JSON document has them."""
        return [encode_change(change) for change in self.found.changes]

    @property
    def newly_broken(self) -> tuple[str, ...]:
        """The items that were solved and are not any more, as in test ids."""
        return _name_items(self.found.fragile)

    @property
    def newly_fixed(self) -> tuple[str, ...]:
        """The items that were not solved and are now."""
        return _name_items(self.found.fixed)

    def _repr_html_(self) -> str:
        from pytest_coderobust.reporting.notebook.card import render_comparison

        return render_comparison(self.found, self.before, self.after)

    def __repr__(self) -> str:
        return (
            f"<SuiteComparison {self.after!r} after {self.before!r}: {self.verdict}, "
            f"{len(self.newly_broken)} newly broken, {len(self.newly_fixed)} newly fixed>"
        )


def compare_results(later: SuiteReport, earlier: SuiteReport, margin: float) -> SuiteComparison:
    """Compares two results of a suite.

    Raises:
        UsageError: one of them is partial, or they measured different things.
    """
    found = join_comparison(later, earlier, margin).summary.comparison
    assert found is not None
    return SuiteComparison(found, earlier.run.model.name, later.run.model.name)


def _name_items(squares: tuple[Square, ...]) -> tuple[str, ...]:
    return tuple(f"{task}[{cell.label}]" for task, cell in squares)
