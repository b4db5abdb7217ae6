"""The items of a run in the JSON document: one object for each task under each cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from pytest_coderobust.records import Observation
from pytest_coderobust.reporting.json.pieces import LazyRows

EncodeItems: TypeAlias = Callable[[Sequence[Observation]], object]
"""Makes the list of items, or what is to stand in its place."""


def encode_items(observations: Sequence[Observation]) -> list[dict[str, object]]:
    """Encodes every item of a run."""
    return list(map(encode_item, observations))


def delay_items(observations: Sequence[Observation]) -> LazyRows:
    """Encodes every item of a run when it is written, because there may be millions."""
    return LazyRows(lambda: map(encode_item, observations))


def encode_item(observation: Observation) -> dict[str, object]:
    """Encodes one measured or skipped (task, cell)."""
    found: dict[str, object] = {
        "task": observation.task_id,
        "condition": observation.cell.perturbation,
        "seed": observation.cell.seed,
        "status": observation.status.value,
        "n": observation.n,
        "c": observation.c,
        "clean_n": observation.clean_n,
        "clean_c": observation.clean_c,
        "truncated": observation.truncated,
        "unfinished": observation.unfinished,
        "checked": observation.checked,
        "member": observation.member,
        "reason": observation.reason,
    }
    if observation.thought_tokens:
        found["thought_tokens"] = observation.thought_tokens
    if observation.adoptions:
        found["adoptions"] = [adoption.value for adoption in observation.adoptions]
    if observation.stages:
        found["stages"] = list(observation.stages)
    if observation.self_edited:
        found["self"] = True
    return found | count_refused(observation.refused)


def count_refused(refused: int) -> dict[str, object]:
    """Counts the answers that a server refused; models that are not served have no such key."""
    return {"refused": refused} if refused else {}
