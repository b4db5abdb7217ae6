"""The numbers of a training grid, as a JSON document for machines."""

from __future__ import annotations

import json

from pytest_coderobust.metrics.training_grid import GridNumbers
from pytest_coderobust.records.codec import encode
from pytest_coderobust.reporting.grid_rows import list_grid_remarks

FORMAT = "coderobust finetune-grid, 1"


def render_grid(numbers: GridNumbers) -> str:
    """Renders the document: every field of the numbers under its own name."""
    document = {
        "format": FORMAT,
        "attributable": bool(numbers.control),
        **encode(numbers),
        "remarks": list(list_grid_remarks(numbers)),
    }
    return json.dumps(document, indent=1, ensure_ascii=True) + "\n"
