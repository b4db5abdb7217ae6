"""Shows the lines that a set of edits changes, with every odd character escaped."""

from __future__ import annotations

from collections.abc import Sequence

from coderobust_strategies.edit import Edit, apply_edits


def show_edits(clean: str, edits: Sequence[Edit]) -> str:
    """Formats the changed lines before and after, under a line that names the kinds of edit.

    Lines are written as Python literals, because text from a data set may hold escape sequences.
    """
    if not edits:
        return "the clean prompt"
    kinds = ", ".join(sorted({edit.kind for edit in edits}))
    lines = [f"{len(edits)} edit{'s' if len(edits) > 1 else ''} ({kinds})"]
    for start, stop, touching in _stretches(clean, sorted(edits)):
        moved = [Edit(e.start - start, e.stop - start, e.replacement, e.kind) for e in touching]
        before = clean[start:stop]
        lines += [f"- {before!r}", f"+ {apply_edits(before, moved)!r}"]
    return "\n".join(lines)


def _stretches(clean: str, edits: Sequence[Edit]) -> list[tuple[int, int, list[Edit]]]:
    """Groups edits by the whole lines that they touch; lines that share an edit are one group."""
    found: list[tuple[int, int, list[Edit]]] = []
    for edit in edits:
        start = clean.rfind("\n", 0, edit.start) + 1
        end = clean.find("\n", edit.stop)
        stop = end if end >= 0 else len(clean)
        if found and start < found[-1][1]:
            first, last, touching = found[-1]
            found[-1] = (first, max(last, stop), [*touching, edit])
        else:
            found.append((start, stop, [edit]))
    return found
