"""Categories and tiers of a linter's messages, and the messages that say nothing of a solution.

Tiers of pylint's messages after Liu et al. 2026, table 12; a code that the table does not name gets
the tier in the middle of its category, or the lower of two (ours).
"""

from __future__ import annotations

from collections.abc import Mapping

CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "pylint": ("error", "warning", "refactor", "convention"),
    "ruff": ("message",),
}
"""The categories of each linter; ruff has rules of many origins and no categories."""

TIERS: Mapping[str, tuple[str, ...]] = {
    "error": ("error 1", "error 2"),
    "warning": ("warning 1", "warning 2", "warning 3"),
    "refactor": ("refactor high", "refactor low"),
    "convention": ("convention high", "convention low"),
}

_LETTERS = {"E": "error", "W": "warning", "R": "refactor", "C": "convention"}
_NAMED = {
    "error 1": ("E0001", "E0401", "E1120"),
    "warning 1": ("W0702", "W0718", "W0102"),
    "warning 3": ("W0603", "W0404"),
    "refactor high": ("R0912", "R0915"),
    "convention high": ("C0103", "C0114"),
}
_TIER_OF = {code: tier for tier, codes in _NAMED.items() for code in codes}
_USUAL = {
    "error": "error 2",
    "warning": "warning 2",
    "refactor": "refactor low",
    "convention": "convention low",
}

SURROUNDINGS = frozenset({"E0401", "E0402", "C0114", "C0304", "D100", "INP001", "W292"})
"""Messages about what is installed or how a file begins and ends, which no model decides: they
count in the paper's way alone."""

PENALTY: Mapping[str, int] = {"error": 5, "warning": 1, "refactor": 1, "convention": 1}
"""Weights of pylint's score (pylint 4.1, `evaluation`)."""


def find_category(tool: str, code: str) -> str:
    """The category of a code; "" of an information, which no score counts."""
    return "message" if tool != "pylint" else _LETTERS.get(code[:1], "")


def find_tier(category: str, code: str) -> str:
    """The tier of a code of pylint; "" where its category has none."""
    return _TIER_OF.get(code, _USUAL.get(category, ""))
