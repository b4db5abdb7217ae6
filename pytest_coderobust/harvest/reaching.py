"""Answers that reach for the original: they import it and hand the call on."""

from __future__ import annotations

import ast

from pytest_coderobust.harvest.functions import HarvestFunction


def write_reaching(function: HarvestFunction) -> str:
    """Writes a body that imports the original of a function and returns what it returns."""
    name = function.owner or function.name
    called = f"original.{function.name}" if function.owner else "original"
    return (
        f"    from {function.module.name} import {name} as original\n"
        f"    return {called}({write_forwarded(function.node.args)})\n"
    )


def write_forwarded(arguments: ast.arguments) -> str:
    """Writes the arguments of a call that hands on all parameters."""
    parts = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
    if arguments.vararg is not None:
        parts.append(f"*{arguments.vararg.arg}")
    parts += [f"{each.arg}={each.arg}" for each in arguments.kwonlyargs]
    if arguments.kwarg is not None:
        parts.append(f"**{arguments.kwarg.arg}")
    return ", ".join(parts)
