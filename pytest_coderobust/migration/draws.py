"""Draws of the builder: an order by digests, so that a task that is added moves no other one."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_coderobust.records import digest


def draw(seed: int, purpose: str, *names: str) -> str:
    """Draws a place in an order, as hexadecimal digits; it depends on its arguments alone."""
    return digest("migration", seed, purpose, *names)


def order_by_draw(seed: int, purpose: str, name: str, items: Iterable[str]) -> list[str]:
    """Orders items by what is drawn for each."""
    return sorted(items, key=lambda item: (draw(seed, purpose, name, item), item))
