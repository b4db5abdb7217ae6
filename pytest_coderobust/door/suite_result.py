"""The result of one suite as Python's users have it: numbers, gates, items, reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_coderobust.door.frames import make_items_frame, make_metrics_frame
from pytest_coderobust.door.suite_comparison import SuiteComparison, compare_results
from pytest_coderobust.errors import UsageError
from pytest_coderobust.gates import exit_failed
from pytest_coderobust.reporting.formats import render_format, write_format
from pytest_coderobust.reporting.json.document import encode_gate, encode_metrics
from pytest_coderobust.reporting.json.items import encode_item
from pytest_coderobust.results.conclusion import SuiteReport
from pytest_coderobust.session.running import reopen_evidence

if TYPE_CHECKING:
    import pandas as pd

WIDTH = 80
"""Columns of the text that `print` shows."""


@dataclass(frozen=True, slots=True, repr=False)
class SuiteResult:
    """Result of a suite on a model; a notebook shows it as a picture and a table.

    The values of `metrics`, `gates` and `items` are those of the JSON document (docs/json.md).

    Attributes:
        conclusion: the run with everything computed from it.
        ledger: the file that has the prompts, answers and verdicts behind the numbers.
        errors: sentences about what went wrong; each makes the result a failure.
        notes: sentences worth reading.
    """

    conclusion: SuiteReport
    ledger: Path
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def suite(self) -> str:
        """The suite's name."""
        return self.conclusion.run.suite

    @property
    def model(self) -> str:
        """The model's name."""
        return self.conclusion.run.model.name

    @property
    def complete(self) -> bool:
        """Whether everything that was planned was measured."""
        return not self.incomplete

    @property
    def incomplete(self) -> str:
        """The reason why a part is missing, or ""."""
        return self.conclusion.summary.incomplete

    @property
    def failed(self) -> bool:
        """Whether pytest would end in a failure: a gate fails or was not judged, or trouble."""
        return bool(self.errors) or exit_failed(self.conclusion.gates)

    @property
    def metrics(self) -> Mapping[str, Mapping[str, Any]]:
        """The rates and counts of each condition, by its name ("clean", "C1", "character")."""
        run, summary = self.conclusion.run, self.conclusion.summary
        return {found.name: encode_metrics(found, run.ks) for found in summary.conditions}

    @property
    def gates(self) -> list[dict[str, Any]]:
        """The gates with their outcomes."""
        return [encode_gate(found) for found in self.conclusion.gates]

    @property
    def items(self) -> list[dict[str, Any]]:
        """The measured and skipped items: a task under a condition and a seed, with its status."""
        return [encode_item(found) for found in self.conclusion.run.observations]

    def compare(self, earlier: SuiteResult, *, margin: float = 0.05) -> SuiteComparison:
        """Compares with an earlier result of the same suite, item by item.

        Args:
            margin: the loss of pass@k that still counts as not worse.

        Raises:
            UsageError: the margin does not lie between 0 and 1, one of the two is partial, or they
                measured different things.
        """
        if not 0 <= margin <= 1:
            raise UsageError(f"margin {margin} does not lie between 0 and 1")
        return compare_results(self.conclusion, earlier.conclusion, margin)

    def to_json(self) -> str:
        """Returns the JSON document, byte for byte that of `--coderobust-json`."""
        return render_format("json", [self.conclusion])

    def to_frame(self, *, items: bool = False) -> pd.DataFrame:
        """Returns a pandas table: a row for each condition, or for each item.

        Raises:
            UsageError: pandas is not installed.
        """
        return make_items_frame(self.items) if items else make_metrics_frame(self.metrics)

    def report(self, path: str | Path) -> Path:
        """Writes the HTML page, one file for a browser, and returns its path.

        Raises:
            LedgerError: the ledger is gone.
            OSError: the file cannot be written.
        """
        file = Path(path)
        with reopen_evidence(self.conclusion, self.ledger) as found:
            write_format("html", [found], file)
        return file

    def _repr_html_(self) -> str:
        from pytest_coderobust.reporting.notebook.card import render_card

        return render_card(self.conclusion.result, self.errors)

    def __str__(self) -> str:
        from pytest_coderobust.reporting.terminal.report import render

        return render([self.conclusion.result], WIDTH, colour=False)

    def __repr__(self) -> str:
        from pytest_coderobust.reporting.notebook.card import name_verdict

        part = f", partial: {self.incomplete}" if self.incomplete else ""
        verdict = name_verdict(self.conclusion.result)
        return f"<SuiteResult {self.suite!r} on {self.model!r}: {verdict}{part}>"
