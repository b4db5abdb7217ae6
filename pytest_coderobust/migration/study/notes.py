"""Text that arms put in front of a prompt: a note about the changes, and a solved task."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_coderobust.records import ApiChange, Task


def write_note(changes: Sequence[ApiChange]) -> str:
    """Writes one comment line a change, as a repository's file of notes would have it."""
    return "".join(f"# Note: {describe_change(change)}.\n" for change in changes)


def describe_change(change: ApiChange) -> str:
    """Describes a change in a clause."""
    if not change.new:
        return f"{change.old} was removed and has no successor"
    said = f"{change.old} was renamed to {change.new}"
    if change.kind == "keyword-only":
        return f"{said}, which takes {', '.join(change.parameters)} by name alone"
    if change.kind == "swapped":
        return f"{said}, whose first two arguments come the other way round"
    return said


def write_example(task: Task) -> str:
    """Writes a solved task as it would stand above another one."""
    solved = task.prompt + (task.canonical or "")
    return f"{solved.rstrip()}\n\n\n"
