"""The text that a console of some width and encoding shows."""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO

from rich.console import Console, RenderableType
from rich.text import Text

NARROWEST = 80
"""Columns the tables need: a narrower terminal wraps lines, and no number is ever cut."""


def print_lines(
    parts: Iterable[RenderableType], width: int, colour: bool, encoding: str = "utf-8"
) -> str:
    """Prints parts into text as a console of that width does, without blanks at line ends."""
    out = StringIO()
    # Everything is said outright: rich would otherwise ask the environment.
    console = Console(
        file=out,
        width=max(width, NARROWEST),
        color_system="standard" if colour else None,
        force_terminal=colour,
        no_color=not colour,
        force_jupyter=False,
        legacy_windows=False,
        safe_box=False,
        markup=False,
        emoji=False,
        highlight=False,
    )
    for part in parts:
        # A command that the console cut into lines could not be pasted.
        whole = isinstance(part, Text) and bool(part.no_wrap)
        console.print(part, soft_wrap=whole)
    text = "\n".join(printed.rstrip() for printed in out.getvalue().split("\n"))
    return text.encode(encoding, "backslashreplace").decode(encoding)
