"""Results as pandas tables, where pandas is installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pytest_coderobust.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd


def make_metrics_frame(metrics: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Makes a table with a row for each condition; an interval takes two columns.

    Raises:
        UsageError: pandas is not installed.
    """
    rows = [dict(_flatten(found)) for found in metrics.values()]
    return _find_pandas().DataFrame(rows, index=_find_pandas().Index(metrics, name="condition"))


def make_items_frame(items: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Makes a table with a row for each item; errors as `make_metrics_frame`."""
    return _find_pandas().DataFrame(list(items))


def _flatten(found: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Flattens the numbers of a condition into columns."""
    for name, value in found.items():
        if name == "members":
            yield name, ",".join(value)
        elif name != "intervals":
            yield name, value
            if name in found["intervals"]:
                low, high = found["intervals"][name]
                yield from ((f"{name} low", low), (f"{name} high", high))


def _find_pandas() -> Any:
    try:
        return import_module("pandas")
    except ImportError:
        raise UsageError("to_frame() needs pandas: pip install pandas") from None
