"""The split of a benchmark: who owns a problem, and which of the three subsets it is in.

An edit is made for the reliability tasks of its change, generalisation asks for the same change in
other tasks, and specificity asks tasks that no change is about.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_coderobust.migration.draws import order_by_draw
from pytest_coderobust.migration.pairs import ChangePair

PresetName = Literal["capped", "study", "small"]


@dataclass(frozen=True, slots=True)
class Preset:
    """The sizes of a split.

    Attributes:
        least: a change with fewer tasks is left out.
        reliability, generalisation: most tasks of a change; None for as many as there are.
        specificity: tasks in all.
    """

    least: int = 2
    reliability: int | None = None
    generalisation: int | None = None
    specificity: int = 200


PRESETS: Mapping[str, Preset] = {
    "capped": Preset(reliability=4, generalisation=16),
    "study": Preset(),
    "small": Preset(reliability=3, generalisation=5, specificity=16),
}
"""The first keeps one common API from being a quarter of the benchmark; the second halves each
API's tasks, as the study did; with the third a study takes minutes on a small model."""


@dataclass(frozen=True, slots=True)
class Share:
    """The tasks of one change, in drawn order."""

    reliability: tuple[ChangePair, ...]
    generalisation: tuple[ChangePair, ...]


def assign_owners(pairs: Sequence[ChangePair]) -> dict[str, list[ChangePair]]:
    """Assigns each problem to the rarest of its APIs, ties by name; its pairs by API."""
    counts = Counter(pair.key[0] for pair in pairs)
    of_task: dict[str, list[ChangePair]] = defaultdict(list)
    for pair in pairs:
        of_task[pair.key[1]].append(pair)
    owned: dict[str, list[ChangePair]] = defaultdict(list)
    for found in of_task.values():
        owner = min(found, key=lambda pair: (counts[pair.key[0]], pair.key[0]))
        owned[owner.key[0]].append(owner)
    return dict(sorted(owned.items()))


def share_out(
    owned: Mapping[str, Sequence[ChangePair]], preset: Preset, seed: int
) -> dict[str, Share]:
    """Splits the tasks of each API that has enough of them.

    An API that was removed has no rewritten solution, and so no reliability tasks.
    """
    found: dict[str, Share] = {}
    for api, pairs in owned.items():
        if len(pairs) < preset.least:
            continue
        by_task = {pair.key[1]: pair for pair in pairs}
        drawn = [by_task[task] for task in order_by_draw(seed, "split", api, by_task)]
        half = len(drawn) // 2 if pairs[0].change.new else 0
        first = half if preset.reliability is None else min(preset.reliability, half)
        rest = drawn[first:]
        found[api] = Share(tuple(drawn[:first]), tuple(rest[: preset.generalisation]))
    return found
