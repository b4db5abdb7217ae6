"""The picture of a result: pass@k of clean and perturbed prompts, condition by condition.

An SVG drawing of its own light ground, so that it reads the same in light and dark notebooks. It is
given as the address of an image, inside which no script can run, whatever a name contains.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape as quote

from pytest_coderobust.metrics.condition import ConditionSummary
from pytest_coderobust.metrics.interval import Estimate
from pytest_coderobust.metrics.summary import Summary
from pytest_coderobust.reporting.figures import pick_conditions
from pytest_coderobust.reporting.hostile import escape

NAME = 24
"""Characters of a condition's name that are shown."""

MOST = 30
"""Conditions that are drawn."""

LEFT, RIGHT, TOP, STEP, BOTTOM = 190, 30, 40, 26, 34
WIDTH = 640
CLEAN, PERTURBED, GRID, TEXT = "#5b6470", "#b3261e", "#d5d9de", "#1f2328"
HOLLOW = f'fill="#ffffff" stroke="{CLEAN}" stroke-width="2"'
"""Clean rates are hollow: the two are told apart without colour, too."""


@dataclass(frozen=True, slots=True)
class PicturePair:
    """A line of the picture: a condition's pass@k, and that of the same tasks' clean prompts."""

    name: str
    clean: float
    perturbed: Estimate


def make_pairs(summary: Summary, k: int) -> list[PicturePair]:
    """Makes a line for each perturbed condition that was measured."""
    return [pair for found in pick_conditions(summary) if (pair := _pair(found, k)) is not None]


def draw_pairs(pairs: Sequence[PicturePair], k: int) -> str:
    """Draws the lines as an SVG document."""
    shown = pairs[:MOST]
    height = TOP + STEP * len(shown) + BOTTOM
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    font = f'font-family="sans-serif" font-size="12" fill="{TEXT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        *_draw_axis(k, height),
        *(line for row, pair in enumerate(shown) for line in _draw_pair(row, pair)),
        "</svg>",
    ]
    return "".join(parts)


def describe_pairs(pairs: Sequence[PicturePair], k: int) -> str:
    """Describes the picture in one phrase, for those who cannot see it."""
    told = "; ".join(f"{p.name} {p.clean:.3f} to {p.perturbed.value:.3f}" for p in pairs[:MOST])
    return f"pass@{k}, clean to perturbed: {told}"


def embed_picture(svg: str, words: str) -> str:
    """Embeds a drawing in a page as an image that needs no other file."""
    data = base64.b64encode(svg.encode("utf-8")).decode("ascii")
    return f'<img alt="{quote(words)}" src="data:image/svg+xml;base64,{data}"/>'


def _pair(condition: ConditionSummary, k: int) -> PicturePair | None:
    scores = condition.scores[k]
    if condition.kind == "clean" or scores.pass_at_k is None or scores.clean is None:
        return None
    return PicturePair(escape(condition.name, NAME), scores.clean, scores.pass_at_k)


def _draw_axis(k: int, height: int) -> Iterator[str]:
    """Draws the grid from 0 to 1, and the legend."""
    for tenth in range(0, 11, 2):
        x = _place(tenth / 10)
        yield f'<path d="M{x} {TOP - 6}V{height - BOTTOM + 4}" stroke="{GRID}"/>'
        yield (
            f'<text x="{x}" y="{height - BOTTOM + 20}" text-anchor="middle">{tenth / 10:.1f}</text>'
        )
    yield f'<text x="8" y="20" font-weight="bold">pass@{k}</text>'
    yield f'<circle cx="{LEFT + 5}" cy="16" r="5" {HOLLOW}/>'
    yield f'<text x="{LEFT + 16}" y="20">clean</text>'
    yield f'<circle cx="{LEFT + 75}" cy="16" r="5" fill="{PERTURBED}"/>'
    yield f'<text x="{LEFT + 86}" y="20">perturbed, with its 95 % interval</text>'


def _draw_pair(row: int, pair: PicturePair) -> Iterator[str]:
    """Draws both rates of a condition, joined by a line, and the interval of the perturbed one."""
    y = TOP + STEP * row + STEP // 2
    clean, found = _place(pair.clean), pair.perturbed
    low, high, value = _place(found.low), _place(found.high), _place(found.value)
    yield f'<text x="8" y="{y + 4}">{quote(pair.name)}</text>'
    yield f'<path d="M{clean} {y}H{value}" stroke="{CLEAN}" stroke-dasharray="2 3"/>'
    yield f'<path d="M{low} {y}H{high}" stroke="{PERTURBED}" stroke-width="3"/>'
    yield f'<circle cx="{clean}" cy="{y}" r="5" {HOLLOW}/>'
    yield f'<circle cx="{value}" cy="{y}" r="5" fill="{PERTURBED}"/>'


def _place(share: float) -> float:
    """The x of a share between 0 and 1."""
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)
