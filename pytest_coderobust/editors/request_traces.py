"""Traces of requests whose layers an editor looked through, read from its facts or its refusal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from pytest_coderobust.editors.protocol import EditRequest, Facts
from pytest_coderobust.errors import EditRefused
from pytest_coderobust.records.editing import TracedRequest

Traces = tuple[TracedRequest, ...]


def trace_edit(requests: Sequence[EditRequest], facts: Facts) -> Traces:
    """Reads the trace that the facts of an edit hold; () where no layer was looked for.

    Facts hold one trace, so that of several requests would be nobody's.
    """
    trace = facts.get("trace")
    if len(requests) != 1 or not isinstance(trace, Mapping):
        return ()
    found = cast("Mapping[str, object]", trace)
    layers = cast("Sequence[Mapping[str, float]]", found["layers"])
    restored = tuple(layer["improvement"] for layer in layers)
    return (_make(requests[0], cast("int | None", found["key"]), restored),)


def trace_refusal(requests: Sequence[EditRequest], refusal: EditRefused) -> Traces:
    """Reads the profile of a request that has no key layer; () where none was looked for."""
    if len(requests) != 1 or not refusal.profile:
        return ()
    return (_make(requests[0], None, refusal.profile),)


def _make(request: EditRequest, key: int | None, restored: tuple[float, ...]) -> TracedRequest:
    return TracedRequest(request.perturbation, request.task.id, key, restored)
